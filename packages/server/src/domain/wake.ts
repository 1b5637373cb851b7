import type { Message, SandboxRequest, SpawnMode } from 'agent-relay-protocol';
import { isDirect } from './audience.ts';
import type { Change } from './change.ts';
import type { Decision, Facts } from './facts.ts';
import { type RecordFacts, type RecordWrite, type Resource, recordKey, recordWrite } from './resource.ts';
import { leavingsOf, type Rule } from './rule.ts';

/** That mail starts an agent again, and on what terms. */
export interface Wake {
  readonly id: number;
  readonly agentId: string;
  readonly wake: 'never' | 'resume' | 'fresh';
  readonly idleMs: number;
  readonly provider: string;
  readonly nodeId: string;
  readonly cwd: string | null;
  readonly mode: SpawnMode;
  readonly ask: boolean;
  readonly model: string | null;
  readonly sandbox: SandboxRequest | null;
}

/** As `principalName` calls whoever has no token. */
const ANONYMOUS = 'anonymous';

/** That of one agent, whatever it says. */
export const wakeOf = (agentId: string): string => recordKey({ agent: encodeURIComponent(agentId) });
/** Those that mail wakes. */
export const WAKING = recordKey({ state: 'waking' });

export const wakeResource: Resource<Wake> = {
  name: 'wakes',
  read: (stored) => stored as Wake, // nobody but this program writes it, and it has had no other form
  keys: ({ wake }) => (wake === 'never' ? [] : [WAKING]),
  exclusive: ({ agentId }) => [wakeOf(agentId)],
  isOpen: ({ wake }) => wake !== 'never',
};

/** Whether mail wakes an agent. */
export const isWoken = (facts: Pick<Facts, 'records'>, agentId: string): boolean => wakingOf(facts, agentId) !== undefined;

const wakingOf = ({ records }: { readonly records: RecordFacts }, agentId: string): Wake | undefined =>
  records.under(wakeResource, wakeOf(agentId)).find(({ wake }) => wake !== 'never');

/** As `withWake`, where mail wakes the agent already: how, and after how long it is released, stays as it was said. */
export function withTerms(facts: Facts, change: Change, terms: Omit<Wake, 'id' | 'wake' | 'idleMs'>): Change {
  const found = wakingOf(facts, terms.agentId);
  return found ? withWake(facts, change, { ...found, ...terms }) : change;
}

/** A change that also says from now on whether mail wakes an agent. */
export function withWake(facts: Facts, change: Change, wake: Omit<Wake, 'id'>): Change {
  const id = facts.records.under(wakeResource, wakeOf(wake.agentId))[0]?.id ?? facts.nextId;
  return { ...change, records: [...(change.records ?? []), recordWrite(wakeResource, { ...wake, id })] };
}

/** Mail wakes it no more. Answers whether it did. */
export function endWake(facts: Facts, agentId: string, at: number): Decision<boolean> {
  const found = wakingOf(facts, agentId);
  if (found === undefined) return { answer: false, change: null };
  return { answer: true, change: { at, records: [wokenNoMore(found)] } };
}

function wokenNoMore(found: Wake): RecordWrite {
  const never: Wake = { ...found, wake: 'never' };
  return recordWrite(wakeResource, never);
}

/** Mail wakes nobody who was removed. */
export const endsWakes: Rule = (facts, change) => {
  const removed = leavingsOf(facts, change).flatMap(({ id, cause }) => (cause === 'removed' ? [id] : []));
  const over = removed.flatMap((id) => wakingOf(facts, id) ?? []);
  return over.length === 0 ? change : { ...change, records: [...(change.records ?? []), ...over.map(wokenNoMore)] };
};

/** Mail to one agent, of somebody who has proven who they are, that is more than context for its next turn. */
export const wakesItsReader = ({ mode, to, sender }: Pick<Message, 'mode' | 'to' | 'sender'>): boolean =>
  mode !== 'fyi' && isDirect(to) && sender.principal !== ANONYMOUS;

/** How often mail may wake one agent in an hour: two that wake each other end there. */
export const WAKES_PER_HOUR = 12;
/** And all of them together: whoever may write to many does not start as many. */
export const ALL_WAKES_PER_HOUR = 120;
const HOUR_MS = 3_600_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 600_000;

/** When agents were started for their mail, as far as it counts. */
export const countedWakes = (startedAt: readonly number[], now: number): readonly number[] => startedAt.filter((at) => now - at < HOUR_MS);

/** What became of the starts of one agent. */
export interface WakeHistory {
  /** When it was started, oldest first, as far as it counts. */
  readonly startedAt: readonly number[];
  /** How many failed since the last that did not. */
  readonly failures: number;
}

export const noHistory: WakeHistory = { startedAt: [], failures: 0 };

export const afterWake = ({ startedAt, failures }: WakeHistory, hasFailed: boolean, now: number): WakeHistory => ({
  startedAt: [...countedWakes(startedAt, now), now],
  failures: hasFailed ? failures + 1 : 0,
});

/** Whether mail may wake it now. */
export function mayWake({ startedAt, failures }: WakeHistory, now: number): boolean {
  const counted = countedWakes(startedAt, now);
  if (counted.length >= WAKES_PER_HOUR) return false;
  const pauseMs = failures === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  return now - (counted.at(-1) ?? Number.NEGATIVE_INFINITY) >= pauseMs;
}
