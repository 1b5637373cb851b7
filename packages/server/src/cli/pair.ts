import type { RelayClient } from 'agent-relay-client';
import { OWNER_AGENT_ID, type Pair } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type ActingOptions, actingCommand, currentAgent, relayOptionsOf } from './current-agent.ts';
import { CommandFailure, relayCommand, withRelay } from './relay-access.ts';
import { assertSaid } from './send.ts';
import { oneLine, type Terminal } from './terminal.ts';

type Work = (client: RelayClient, id: string | undefined) => Promise<void>;

export const pairCommand = (terminal: Terminal): Command =>
  actingCommand(relayCommand('pair'))
    .description('Talk to one agent alone: invite it, or answer, talk and hang up')
    .argument('<target>', 'an id, name, label or provider; id:x, label:x, tag:x, cap:x or machine:x. It must mean one agent')
    // Not required by commander, which would then require it of the subcommands too.
    .option('--objective <text>', 'what for (needed)')
    .enablePositionalOptions()
    .addHelpText('after', '\nExample:\n  agent-relay pair codex --objective "Find why the build is red"')
    .action(async (target: string, { objective, ...options }: ActingOptions & { readonly objective?: string }) => {
      if (!objective) throw new CommandFailure('error: say what for: --objective <text>', 2);
      await invite({ target, objective, options }, terminal);
    })
    .addCommand(answerCommand('accept', 'Accept an invitation', terminal))
    .addCommand(answerCommand('reject', 'Decline an invitation', terminal).option('--reason <text>', 'why'))
    .addCommand(sayCommand(terminal))
    .addCommand(hangUpCommand(terminal))
    .addCommand(statusCommand(terminal));

const answerCommand = (answer: 'accept' | 'reject', description: string, terminal: Terminal): Command =>
  actingCommand(relayCommand(answer))
    .description(description)
    .argument('<pair>', 'its number, as the invitation says it', parsePairId)
    .action(async (id: number, { reason, ...options }: ActingOptions & { readonly reason?: string }) => {
      const said = answer === 'reject' && reason ? { reason } : {};
      await acting(options, terminal, async (client, agentId) => {
        terminal.out(describePair(await client.pairs[answer]({ id, ...(agentId && { agentId }), ...said }, { signal: terminal.signal })));
      });
    });

const sayCommand = (terminal: Terminal): Command =>
  actingCommand(relayCommand('send'))
    .description('Say something to the other side')
    .argument('<pair>', 'its number', parsePairId)
    .argument('[text]', 'what to say')
    .addOption(new Option('--body <text>', 'what to say, instead of the text').hideHelp())
    .action(async (id: number, text: string | undefined, { body: given, ...options }: ActingOptions & { readonly body?: string }) => {
      if (text !== undefined && given !== undefined) throw new CommandFailure('error: say the text, or --body, and not both', 2);
      const body = text ?? given;
      assertSaid(body, 'pair send <pair> <text>');
      await acting(options, terminal, async (client, from) => {
        const sent = await client.pairs.send({ id, body, ...(from && { from }) }, { signal: terminal.signal });
        terminal.out(`[msg:${sent.id}] to ${sent.to} in pair ${id}`);
      });
    });

const hangUpCommand = (terminal: Terminal): Command =>
  actingCommand(relayCommand('hangup'))
    .description('End a pair')
    .argument('[pair]', 'its number (default: the one you are in)', parsePairId)
    .option('--reason <text>', 'why')
    .action(async (id: number | undefined, { reason, ...options }: ActingOptions & { readonly reason?: string }) => {
      await hangUp({ id, reason, options }, terminal);
    });

const statusCommand = (terminal: Terminal): Command =>
  actingCommand(relayCommand('status'))
    .description('Show the pair you are in; without an agent, all that are open')
    .action(async (options: ActingOptions) => {
      await acting(options, terminal, async (client, agent) => {
        const open = await openPairs(client, agent, terminal.signal);
        for (const pair of open) terminal.out(describePair(pair));
        if (open.length === 0) terminal.note(agent === undefined ? 'No pair is open.' : `${agent} is in no pair.`);
      });
    });

export async function invite(
  { target, objective, options }: { readonly target: string; readonly objective: string; readonly options: ActingOptions },
  terminal: Terminal,
): Promise<void> {
  await acting(options, terminal, async (client, from) => {
    const pair = await client.pairs.request({ target, objective, ...(from && { from }) }, { signal: terminal.signal });
    terminal.out(describePair(pair));
  });
}

/** Ends the pair that is named, else the one the agent is in. */
export async function hangUp(
  { id, reason, options }: { readonly id: number | undefined; readonly reason?: string | undefined; readonly options: ActingOptions },
  terminal: Terminal,
): Promise<void> {
  await acting(options, terminal, async (client, agentId) => {
    const open = id === undefined ? await openPairs(client, agentId ?? OWNER_AGENT_ID, terminal.signal) : [];
    const ended = id ?? open[0]?.id;
    if (ended === undefined) throw new CommandFailure(`error: ${agentId ?? OWNER_AGENT_ID} is in no pair`, 1);
    const request = { id: ended, ...(agentId && { agentId }), ...(reason && { reason }) };
    terminal.out(describePair(await client.pairs.hangup(request, { signal: terminal.signal })));
  });
}

export async function openPairs(client: RelayClient, agent: string | undefined, signal: AbortSignal): Promise<Pair[]> {
  const of = agent === undefined ? {} : { agent };
  const active = await client.pairs.list({ ...of, status: 'active' }, { signal });
  const pending = await client.pairs.list({ ...of, status: 'pending' }, { signal });
  return [...active.data, ...pending.data];
}

export function describePair(pair: Pair): string {
  const what = `pair ${pair.id}: ${pair.requester} and ${pair.target}, ${pair.status}`;
  const reason = 'reason' in pair && pair.reason !== null ? ` (${oneLine(pair.reason)})` : '';
  return `${what}${reason}: ${oneLine(pair.objective)}`;
}

const acting = (options: ActingOptions, terminal: Terminal, work: Work): Promise<void> =>
  withRelay(relayOptionsOf(options), terminal, (client) => work(client, currentAgent(options, terminal)));

export function parsePairId(text: string): number {
  const id = /^(?:\[?(?:pair|msg):)?(\d{1,15})\]?$/u.exec(text)?.[1];
  if (id === undefined) throw new InvalidArgumentError('must be the number of a pair, e.g. 42');
  return Number(id);
}
