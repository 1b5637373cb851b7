import type { RelayClient } from 'agent-relay-client';
import type { Agent } from 'agent-relay-protocol';
import type { Command } from 'commander';
import { presenceWords } from './agents.ts';
import { type ActingOptions, actingCommand, currentAgent, relayOptionsOf, requireAgent } from './current-agent.ts';
import { describeSent } from './describe-sent.ts';
import { describePair, hangUp, invite, openPairs, parsePairId } from './pair.ts';
import { programName } from './program-name.ts';
import { CommandFailure, relayCommand, withRelay } from './relay-access.ts';
import { assertSaid } from './send.ts';
import { oneLine, type Terminal } from './terminal.ts';

interface ChangeOptions extends ActingOptions {
  readonly clear?: true;
}

/** What an agent, or the person at its prompt, types about its own session: `agent-relay /status`. */
export const slashCommands: readonly ((terminal: Terminal) => Command)[] = [
  (terminal) =>
    slash('/pair', 'Invite one agent to a pair')
      .argument('<target>', 'an id, name, label or provider')
      .argument('<objective>', 'what for')
      .action(async (target: string, objective: string, options: ActingOptions) => invite({ target, objective, options }, terminal)),
  (terminal) => sendForm('/message', 'Send a message', false, terminal),
  (terminal) => sendForm('/send-claimable', 'Send work that exactly one recipient should claim', true, terminal),
  (terminal) =>
    slash('/disconnect', 'Hang up')
      .argument('[pair]', 'its number (default: the one you are in)', parsePairId)
      .action(async (id: number | undefined, options: ActingOptions) => hangUp({ id, options }, terminal)),
  statusForm,
  labelForm,
  tagsForm,
];

const slash = (name: string, description: string): Command => actingCommand(relayCommand(name)).description(description);

function sendForm(name: string, description: string, claimable: boolean, terminal: Terminal): Command {
  return slash(name, description)
    .argument('<target>', 'an agent, tag:x, cap:x, label:x, machine:x, #channel or broadcast')
    .argument('<text>', 'what to say')
    .action(async (to: string, body: string, options: ActingOptions) => {
      assertSaid(body, `${name} <target> <text>`);
      const from = currentAgent(options, terminal);
      await withRelay(relayOptionsOf(options), terminal, async (client) => {
        const request = { to, body, ...(from && { from }), ...(claimable && { claimable }) };
        const sent = await client.messages.send(request, { signal: terminal.signal });
        terminal.out(describeSent(sent));
      });
    });
}

function statusForm(terminal: Terminal): Command {
  return slash('/status', 'Show how you stand: presence, label, tags, pair, waiting mail').action(async (options: ActingOptions) => {
    const id = requireAgent(options, terminal, `; how the relay stands tells ${programName(terminal.env)} status`);
    await withRelay(relayOptionsOf(options), terminal, async (client) => {
      const { signal } = terminal;
      const agent = await client.agents.get({ id }, { signal });
      const pairs = await openPairs(client, id, signal);
      const waiting = await client.inbox.list({ id, peek: true }, { signal });
      terminal.out(describeAgent(agent));
      for (const pair of pairs) terminal.out(describePair(pair));
      terminal.out(`waiting mail: ${waiting.data.length}`);
    });
  });
}

function labelForm(terminal: Terminal): Command {
  return slash('/label', 'Show, set or clear your label')
    .argument('[name]', 'the new label')
    .option('--clear', 'have none')
    .action(async (name: string | undefined, { clear, ...options }: ChangeOptions) => {
      assertEither(name !== undefined, clear, 'a label');
      await changing(options, terminal, async (client, id) => {
        if (name === undefined && !clear) return client.agents.get({ id });
        return client.agents.label({ id, label: clear ? null : (name ?? null) });
      });
    });
}

function tagsForm(terminal: Terminal): Command {
  return slash('/tags', 'Show, replace or clear your tags')
    .argument('[tags...]', 'the new tags')
    .option('--clear', 'have none')
    .action(async (tags: string[], { clear, ...options }: ChangeOptions) => {
      assertEither(tags.length > 0, clear, 'tags');
      await changing(options, terminal, async (client, id) => {
        if (tags.length === 0 && !clear) return client.agents.get({ id });
        return client.agents.tags({ id, tags: clear ? [] : tags });
      });
    });
}

/** @throws CommandFailure. */
function assertEither(isSaid: boolean, clear: true | undefined, what: string): void {
  if (isSaid && clear) throw new CommandFailure(`error: say ${what}, or --clear, and not both`, 2);
}

async function changing(
  options: ActingOptions,
  terminal: Terminal,
  change: (client: RelayClient, id: string) => Promise<Agent>,
): Promise<void> {
  const id = requireAgent(options, terminal);
  await withRelay(relayOptionsOf(options), terminal, async (client) => terminal.out(describeAgent(await change(client, id))));
}

function describeAgent({ id, label, tags, ...agent }: Agent): string {
  return `${id}: ${presenceWords(agent)}, label ${label === null ? '-' : oneLine(label)}, tags ${tags.join(',') || '-'}`;
}
