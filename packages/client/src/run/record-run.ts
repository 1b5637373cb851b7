import {
  type Agent,
  type Message,
  RELAY_AGENT_ID,
  type RecordedAgent,
  type RouteOutput,
  RUN_RECORD_VERSION,
  type RunRecord,
  type TaskEvent,
} from 'agent-relay-protocol';
import type { RelayCalls } from '../calls.ts';
import { listAll } from '../list-all.ts';
import type { CallOptions } from '../options.ts';
import { isInTime, type Line, PAGE, type RecordOptions, readable, readBack } from './reading.ts';
import { termsOf } from './record-terms.ts';

/** What comes first of what happened in one millisecond. */
const ranks: Readonly<Record<Line['type'], number>> = {
  ...{ rule: 0, task: 1, pair: 2, reservation: 3, message: 4 },
  ...{ claim: 5, approval: 6, receipt: 7, activity: 8 },
};

/**
 * A run of several agents as the relay has it: who took part, what was said, what became of each copy, of tasks, claims, pairs, reservations and
 * questions, by which rules, and what agents did, in the order of time. It is held in memory as a whole. What the caller may not read is not in it. @throws RelayError what the relay says.
 */
export async function recordRun(relay: RelayCalls, options: RecordOptions): Promise<RunRecord[]> {
  const { signal, recordedAt } = options;
  const call: CallOptions = signal ? { signal } : {};
  const { version } = await relay.system.version({}, call);
  const known = (await listAll(relay.agents.list, {}, call)).data;
  const lines = await messagesOf(relay, options, call);
  const watched = options.agents ?? known.map(({ id }) => id);
  // More than a call takes as arguments.
  for (const line of await tasksOf(relay, lines, call)) lines.push(line);
  for (const line of await approvalsOf(relay, options, call)) lines.push(line);
  for (const line of await termsOf(relay, options, { lines, call })) lines.push(line);
  for (const id of watched) for (const line of (await readable(() => activityOf(relay, { ...options, id }, call))) ?? []) lines.push(line);
  lines.sort((one, other) => one.at - other.at || ranks[one.type] - ranks[other.type]);
  const agents = partiesOf(lines, known);
  return [{ type: 'run', version: RUN_RECORD_VERSION, recordedAt, relayVersion: version, agents }, ...lines];
}

async function messagesOf(relay: RelayCalls, options: RecordOptions, call: CallOptions): Promise<Line[]> {
  const wanted = options.agents && new Set(options.agents);
  const lines: Line[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: RouteOutput<'messages/list'> = await relay.messages.list({ after, limit: PAGE }, call);
    for (const { readBy: _readBy, readCount: _readCount, claim, ...message } of page.data) {
      if (!isInTime(message.createdAt, options)) continue;
      const receipts = (await listAll(relay.messages.deliveries, { id: message.id }, call)).data;
      const isTheirs = receipts.some(({ agentId }) => wanted?.has(agentId)) || (claim !== null && wanted?.has(claim.agentId));
      if (wanted && !wanted.has(message.from) && !isTheirs) continue;
      lines.push({ type: 'message', at: message.createdAt, message });
      if (claim?.kind === 'message') lines.push({ type: 'claim', at: claim.claimedAt, claim });
      for (const receipt of receipts) lines.push({ type: 'receipt', at: Math.max(receipt.updatedAt, message.createdAt), receipt });
    }
    after = page.nextCursor;
  }
  return lines;
}

/** Those that these messages offer, whose ids they have. */
async function tasksOf(relay: RelayCalls, lines: readonly Line[], call: CallOptions): Promise<Line[]> {
  const offers = lines.flatMap((line) => (line.type === 'message' && line.message.kind === 'task' ? [line.message.id] : []));
  const tasks: Line[] = [];
  for (const id of offers) {
    const task = await readable(() => relay.tasks.get({ id }, call));
    if (task) tasks.push({ type: 'task', at: task.createdAt, task, history: await historyOf(relay, id, call) });
  }
  return tasks;
}

const historyOf = async (relay: RelayCalls, id: number, call: CallOptions): Promise<TaskEvent[]> =>
  (await listAll(relay.tasks.events, { id, after: 0, limit: PAGE }, call)).data;

async function approvalsOf(relay: RelayCalls, options: RecordOptions, call: CallOptions): Promise<Line[]> {
  const lines: Line[] = [];
  for (const agent of options.agents ?? [undefined]) {
    const asked = await readable(() => readBack((from) => relay.approvals.list({ ...from, ...(agent !== undefined && { agent }) }, call)));
    for (const approval of asked ?? [])
      if (isInTime(approval.requestedAt, options)) lines.push({ type: 'approval', at: approval.requestedAt, approval });
  }
  return lines;
}

async function activityOf(
  relay: RelayCalls,
  { id, ...options }: RecordOptions & { readonly id: string },
  call: CallOptions,
): Promise<Line[]> {
  const lines: Line[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: RouteOutput<'agents/activity'> = await relay.agents.activity({ id, after, limit: PAGE }, call);
    for (const entry of page.data) if (isInTime(entry.at, options)) lines.push({ type: 'activity', at: entry.at, entry });
    after = page.nextCursor;
  }
  return lines;
}

/** Everybody who says, receives or does something, as the relay knows them; who is gone is known by name alone. */
function partiesOf(lines: readonly Line[], known: readonly Agent[]): RecordedAgent[] {
  const tasks = new Set(lines.flatMap((line) => (line.type === 'task' ? [line.task.id] : [])));
  // Who reports a task may be a system outside, and no agent.
  const isOutside = ({ id, from }: Pick<Message, 'id' | 'from'>) => tasks.has(id) && known.every((agent) => agent.id !== from);
  const seen = new Map<string, number>();
  for (const line of lines) for (const id of idsIn(line, isOutside)) if (!seen.has(id)) seen.set(id, line.at);
  seen.delete(RELAY_AGENT_ID);
  return [...seen].map(([id, firstAt]) => {
    const agent = known.find((each) => each.id === id);
    if (!agent) return { id, kind: 'provider', label: null, tags: [], capabilities: [], channels: null, registeredAt: firstAt };
    const { kind, label, tags, givenTags = [], capabilities, channels, registeredAt } = agent;
    const given = tags.filter((tag) => givenTags.includes(tag));
    return { id, kind, label, tags, ...(given.length > 0 && { givenTags: given }), capabilities, channels, registeredAt };
  });
}

function idsIn(line: Line, isOutside: (message: Message) => boolean): readonly string[] {
  switch (line.type) {
    case 'message': {
      const { from, to } = line.message;
      return [...(isOutside(line.message) ? [] : [from]), ...(to.startsWith('id:') ? [to.slice(3)] : [])];
    }
    case 'task':
      return line.history.flatMap(({ type, by }) => (type === 'task.claimed' ? [by] : []));
    case 'claim':
      return [line.claim.agentId];
    case 'approval':
      return [line.approval.agentId];
    case 'pair':
      return [line.pair.requester, line.pair.target];
    case 'reservation':
      return [line.reservation.agentId];
    case 'rule':
      return line.rule.agentId === null ? [] : [line.rule.agentId];
    case 'receipt':
      return [line.receipt.agentId];
    case 'activity':
      return [line.entry.agentId];
  }
}
