import type { RelayCalls } from '../calls.ts';
import type { CallOptions } from '../options.ts';
import { isInTime, type Line, type RecordOptions, readable, readBack } from './reading.ts';

/** What decided while a run went on beside what was said and asked in it: pairs, reservations and standing rules. */
export async function termsOf(relay: RelayCalls, options: RecordOptions, { lines, call }: Reading): Promise<Line[]> {
  return [
    ...(await pairsOf(relay, options, call)),
    ...(await reservationsOf(relay, options, call)),
    ...(await rulesOf(relay, options, { lines, call })),
  ];
}

interface Reading {
  /** What was found so far. */
  readonly lines: readonly Line[];
  readonly call: CallOptions;
}

async function pairsOf(relay: RelayCalls, options: RecordOptions, call: CallOptions): Promise<Line[]> {
  const isWanted = wantedBy(options);
  const pairs = (await readable(() => readBack((from) => relay.pairs.list(from, call)))) ?? [];
  return pairs
    .filter(({ requester, target, requestedAt }) => isInTime(requestedAt, options) && (isWanted(requester) || isWanted(target)))
    .map((pair) => ({ type: 'pair', at: pair.requestedAt, pair }));
}

async function reservationsOf(relay: RelayCalls, options: RecordOptions, call: CallOptions): Promise<Line[]> {
  const isWanted = wantedBy(options);
  const listed = async (ended: boolean) =>
    (await readable(() => readBack((from) => relay.reservations.list({ ...from, ...(ended && { ended }) }, call)))) ?? [];
  return [...(await listed(true)), ...(await listed(false))]
    .filter((each) => isWanted(each.agentId) && didHold(each, options))
    .map((reservation) => ({ type: 'reservation', at: reservation.createdAt, reservation }));
}

/** Those for the agents that are asked for, and those for tags that answered one of them. */
async function rulesOf(relay: RelayCalls, options: RecordOptions, { lines, call }: Reading): Promise<Line[]> {
  const isWanted = wantedBy(options);
  const used = new Set(lines.flatMap((line) => (line.type === 'approval' ? [line.approval.by] : [])));
  const rules = (await readable(() => readBack((from) => relay.rules.list(from, call)))) ?? [];
  return rules
    .filter((rule) => (rule.agentId === null ? options.agents === undefined : isWanted(rule.agentId)) || used.has(`rule:${rule.id}`))
    .filter((rule) => didHold(rule, options))
    .map((rule) => ({ type: 'rule', at: rule.createdAt, rule }));
}

const wantedBy = ({ agents }: RecordOptions): ((id: string) => boolean) => {
  const wanted = agents && new Set(agents);
  return (id) => wanted === undefined || wanted.has(id);
};

/** What began before goes on deciding. */
const didHold = (
  { createdAt, endedAt }: { readonly createdAt: number; readonly endedAt: number | null },
  { since = 0, until = Number.POSITIVE_INFINITY }: RecordOptions,
): boolean => createdAt < until && (endedAt === null || endedAt >= since);
