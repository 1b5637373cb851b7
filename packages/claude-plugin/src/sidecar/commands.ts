import type { Agent, RelayCalls } from 'agent-relay-client';
import { type Pair, RelayError } from 'agent-relay-protocol';
import { printable } from 'agent-relay-wire';
import type { RelaySide } from './relay-side.ts';
import { type RelayStanding, standingWords } from './session-words.ts';

export interface CommandsOptions {
  readonly relay: RelayStanding & Pick<RelaySide, 'link'>;
  /** How much waits on this machine for the relay. */
  readonly kept: () => number;
}

interface Caller {
  readonly calls: RelayCalls;
  readonly id: string;
}

type Command = (args: string, caller: Caller) => Promise<string>;

/** `/agent-relay:message …`, or the bare name where nothing else has it. Null for what is not ours. */
export const commandName = (name: string): string | null => {
  const bare = name.replace(/^agent-relay:/u, '');
  return Object.hasOwn(commands, bare) || bare === 'relay-status' ? bare : null;
};

/** Answers a command of the person at the prompt, without asking a model. Failures are told in words. */
export async function answerSlashCommand(name: string, args: string, { relay, kept }: CommandsOptions): Promise<string> {
  if (name === 'relay-status') return statusWords(relay, kept());
  const command = commands[name];
  if (command === undefined) return `There is no command ${name}`;
  if (relay.link === null || relay.state !== 'connected') return standingWords(relay).split('\n')[0] ?? '';
  try {
    return printable(await command(args.trim(), { calls: relay.link.calls, id: relay.id }));
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return printable(`${error.message} (${error.code})`);
  }
}

const commands: Readonly<Record<string, Command>> = {
  pair: async (args, { calls, id }) => {
    const [target, objective] = targetAnd(args, '/pair <agent> <what for>');
    return describePair(await calls.pairs.request({ target, objective, from: id }));
  },
  message: (args, caller) => send(args, caller, false),
  'send-claimable': (args, caller) => send(args, caller, true),
  disconnect: async (args, { calls, id }) => {
    const named = /^(?:\[?(?:pair|msg):)?(\d{1,15})\]?$/u.exec(args)?.[1];
    if (args !== '' && named === undefined) throw usage('/disconnect [number of the pair]');
    const pairId = named === undefined ? (await openPairs(calls, id))[0]?.id : Number(named);
    if (pairId === undefined) return `${id} is in no pair.`;
    return describePair(await calls.pairs.hangup({ id: pairId, agentId: id }));
  },
  label: async (args, { calls, id }) => {
    if (args === '') return describeAgent(await calls.agents.get({ id }));
    return describeAgent(await calls.agents.label({ id, label: args === '--clear' ? null : args }));
  },
  tags: async (args, { calls, id }) => {
    if (args === '') return describeAgent(await calls.agents.get({ id }));
    return describeAgent(
      await calls.agents.tags({ id, tags: args === '--clear' ? [] : args.split(/[\s,]+/u).filter((tag) => tag !== '') }),
    );
  },
};

async function send(args: string, { calls, id }: Caller, claimable: boolean): Promise<string> {
  const [to, body] = targetAnd(args, claimable ? '/send-claimable <agents> <work>' : '/message <agent> <text>');
  const sent = await calls.messages.send({ to, body, from: id, ...(claimable ? { claimable } : {}) });
  const away = (sent.offline ?? 0) === 0 ? '' : `, ${sent.offline} offline now: it waits there, and starts an agent that mail wakes`;
  return `[msg:${sent.id}] to ${sent.to}: reached ${sent.matched} ${sent.matched === 1 ? 'agent' : 'agents'}${away}`;
}

async function statusWords(relay: CommandsOptions['relay'], kept: number): Promise<string> {
  const keptWords = kept === 0 ? '' : `\n${kept} waiting on this machine for the relay`;
  const standing = standingWords(relay).split('\n').slice(0, -1).join('\n');
  if (relay.link === null || relay.state !== 'connected') return `${standing}${keptWords}`;
  const { calls } = relay.link;
  try {
    const pairs = await openPairs(calls, relay.id);
    const agent = describeAgent(await calls.agents.get({ id: relay.id }));
    return printable([standing, agent, ...pairs.map(describePair)].join('\n') + keptWords);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    return printable(`${standing}${keptWords}\n${error.message} (${error.code})`);
  }
}

async function openPairs(calls: RelayCalls, agent: string): Promise<readonly Pair[]> {
  const active = await calls.pairs.list({ agent, status: 'active' });
  const pending = await calls.pairs.list({ agent, status: 'pending' });
  return [...active.data, ...pending.data];
}

/** The first word, in quotation marks where it has spaces, and the rest. */
function targetAnd(args: string, form: string): readonly [string, string] {
  const parts = /^(?:"([^"]+)"|(\S+))\s+([\s\S]+)$/u.exec(args);
  const target = parts?.[1] ?? parts?.[2];
  const rest = parts?.[3]?.trim();
  if (target === undefined || !rest) throw usage(form);
  return [target, unquoted(rest)];
}

const unquoted = (text: string): string => /^"([^"]*)"$/u.exec(text)?.[1] ?? text;

const usage = (form: string): RelayError => new RelayError('validation_failed', `It is written ${form}`);

const describeAgent = ({ id, status, label, tags }: Agent): string =>
  `${id}: ${status}, label ${label ?? '-'}, tags ${tags.join(',') || '-'}`;

function describePair(pair: Pair): string {
  const reason = 'reason' in pair && pair.reason !== null ? ` (${pair.reason})` : '';
  return `pair ${pair.id}: ${pair.requester} and ${pair.target}, ${pair.status}${reason}: ${pair.objective}`;
}
