import type { Message, Pair, RelayEvent } from 'agent-relay-protocol';
import type { PairHistories } from './history.ts';

type PairToldEvent = Extract<RelayEvent, { pair: Pair }>;

const isPairEvent = (event: RelayEvent): event is PairToldEvent => event.type.startsWith('pair.');
const isOver = ({ status }: Pair): boolean => status === 'ended' || status === 'rejected';

/** Every broken promise about pairs, in words. */
export function findPairViolations(histories: PairHistories, log: readonly RelayEvent[]): readonly string[] {
  return [...checkLives(log), ...checkTalk(log), ...checkSteps(histories, log), ...checkSayings(histories, log)];
}

/** Nobody is in two open pairs; a pair goes from its invitation to its end and no further. */
function* checkLives(log: readonly RelayEvent[]): Generator<string> {
  const pairs = new Map<number, Pair>();
  const openOf = new Map<string, number>();
  for (const { type, pair } of log.filter(isPairEvent)) {
    const before = pairs.get(pair.id)?.status ?? 'unknown';
    pairs.set(pair.id, pair);
    if (!predecessors[type].includes(before)) yield `pair ${pair.id} was ${before} and then ${type}`;
    for (const side of [pair.requester, pair.target]) {
      const other = openOf.get(side);
      if (type === 'pair.requested' && other !== undefined) yield `${side} is in the pairs ${other} and ${pair.id} at once`;
      if (!isOver(pair)) openOf.set(side, pair.id);
      else if (other === pair.id) openOf.delete(side);
    }
  }
}

const predecessors: Readonly<Record<PairToldEvent['type'], readonly string[]>> = {
  'pair.requested': ['unknown'],
  'pair.accepted': ['pending'],
  'pair.rejected': ['pending'],
  'pair.ended': ['pending', 'active'],
};

/** What is said in a pair is stored once, in order, while the pair is active. */
function* checkTalk(log: readonly RelayEvent[]): Generator<string> {
  const active = new Set<number>();
  const turns = new Map<string, number>();
  for (const event of log) {
    if (isPairEvent(event)) {
      if (event.pair.status === 'active') active.add(event.pair.id);
      else active.delete(event.pair.id);
    }
    const said = event.type === 'message.new' ? sayingOf(event.message) : null;
    if (said === null) continue;
    const { pairId, from, turn } = said;
    if (!active.has(pairId)) yield `${from} said turn ${turn} in pair ${pairId}, which was not active`;
    const before = turns.get(from) ?? -1;
    if (turn === before) yield `turn ${turn} of ${from} is stored twice`;
    else if (turn < before) yield `turn ${turn} of ${from} is stored after turn ${before}`;
    turns.set(from, turn);
  }
}

/** An accepted step is in the log; an accepted pair is active, or over with a cause; one that was ended or left is over; and it can be read as it was told. */
function* checkSteps({ steps, left }: PairHistories, log: readonly RelayEvent[]): Generator<string> {
  const told = new Map<number, PairToldEvent[]>();
  for (const event of log) if (isPairEvent(event)) told.set(event.pair.id, [...(told.get(event.pair.id) ?? []), event]);
  const found = new Map(left.map((pair) => [pair.id, pair]));
  for (const { step, pairId, agentId } of steps) {
    const pair = found.get(pairId);
    const events = told.get(pairId) ?? [];
    if (!pair || !events.some(({ type }) => type === 'pair.requested')) yield `pair ${pairId}, which ${agentId} ${step}, is lost`;
    if (step === 'accepted' && (!events.some(({ type }) => type === 'pair.accepted') || !wasAccepted(pair))) {
      yield `pair ${pairId} was accepted by ${agentId}, and nothing tells of it`;
    }
    if (step === 'ended' && pair && !isOver(pair)) yield `pair ${pairId} was ended by ${agentId} and is ${pair.status}`;
    if (step === 'left' && pair && !isOver(pair)) yield `pair ${pairId} was left by ${agentId} and is ${pair.status}`;
  }
  for (const pair of left) {
    if (JSON.stringify(told.get(pair.id)?.at(-1)?.pair) !== JSON.stringify(pair)) yield `pair ${pair.id} is not what the log told of it`;
  }
}

const wasAccepted = (pair: Pair | undefined): boolean =>
  pair?.status === 'active' || (pair?.status === 'ended' && pair.acceptedAt !== null && pair.cause.length > 0);

/** What was acknowledged is in the log under its number. */
function* checkSayings({ sayings }: PairHistories, log: readonly RelayEvent[]): Generator<string> {
  const stored = new Map<number, string>();
  for (const event of log) {
    const said = event.type === 'message.new' ? sayingOf(event.message) : null;
    if (event.type === 'message.new' && said) stored.set(event.message.id, `${said.pairId} ${said.from} ${said.turn}`);
  }
  for (const { id, pairId, from, turn } of sayings) {
    if (stored.get(id) !== `${pairId} ${from} ${turn}`) yield `turn ${turn} of ${from} in pair ${pairId} is lost: it was message ${id}`;
  }
}

/** What an agent of this run said in a pair: its name and its turn. */
function sayingOf({ from, body, meta, kind }: Message): { readonly pairId: number; readonly from: string; readonly turn: number } | null {
  const [speaker, turn] = body.split(' ');
  if (kind !== 'chat' || speaker !== from || typeof meta?.['pairId'] !== 'number') return null;
  return { pairId: meta['pairId'], from, turn: Number(turn) };
}
