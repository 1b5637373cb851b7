import {
  type Agent,
  type Message,
  RELAY_AGENT_ID,
  type RecordedAgent,
  type RouteOutput,
  RUN_RECORD_VERSION,
  type RunRecord,
} from 'agent-relay-protocol';
import type { RelayCalls } from '../calls.ts';
import { listAll } from '../list-all.ts';
import type { CallOptions } from '../options.ts';

export interface RecordOptions extends Pick<CallOptions, 'signal'> {
  /** Unix milliseconds, for the first line. */
  readonly recordedAt: number;
  /** Only what these said, received and did; left out, what everybody did. */
  readonly agents?: readonly string[];
  /** Unix milliseconds: nothing from before, nothing from then on. */
  readonly since?: number;
  readonly until?: number;
}

type Line = Exclude<RunRecord, { readonly type: 'run' }>;

/** What comes first of what happened in one millisecond. */
const ranks: Readonly<Record<Line['type'], number>> = { message: 0, receipt: 1, activity: 2 };
const PAGE = 500;

/**
 * A run of several agents as the relay has it: who took part, what was said, what became of each copy, and what agents did, in the order of time.
 * It is held in memory as a whole. What the caller may not read is not in it. @throws RelayError what the relay says.
 */
export async function recordRun(relay: RelayCalls, options: RecordOptions): Promise<RunRecord[]> {
  const { signal, recordedAt } = options;
  const call: CallOptions = signal ? { signal } : {};
  const { version } = await relay.system.version({}, call);
  const known = (await listAll(relay.agents.list, {}, call)).data;
  const lines = await messagesOf(relay, options, call);
  const watched = options.agents ?? known.map(({ id }) => id);
  // More than a call takes as arguments.
  for (const id of watched) for (const line of await activityOf(relay, { ...options, id }, call)) lines.push(line);
  lines.sort((one, other) => one.at - other.at || ranks[one.type] - ranks[other.type]);
  const agents = partiesOf(lines, known);
  return [{ type: 'run', version: RUN_RECORD_VERSION, recordedAt, relayVersion: version, agents }, ...lines];
}

const isWithin = (at: number, { since = 0, until = Number.POSITIVE_INFINITY }: RecordOptions): boolean => at >= since && at < until;

async function messagesOf(relay: RelayCalls, options: RecordOptions, call: CallOptions): Promise<Line[]> {
  const wanted = options.agents && new Set(options.agents);
  const lines: Line[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: RouteOutput<'messages/list'> = await relay.messages.list({ after, limit: PAGE }, call);
    for (const { readBy: _readBy, readCount: _readCount, claim: _claim, ...message } of page.data) {
      if (!isWithin(message.createdAt, options)) continue;
      const receipts = (await listAll(relay.messages.deliveries, { id: message.id }, call)).data;
      if (wanted && !wanted.has(message.from) && !receipts.some(({ agentId }) => wanted.has(agentId))) continue;
      lines.push({ type: 'message', at: message.createdAt, message });
      for (const receipt of receipts) lines.push({ type: 'receipt', at: Math.max(receipt.updatedAt, message.createdAt), receipt });
    }
    after = page.nextCursor;
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
    for (const entry of page.data) if (isWithin(entry.at, options)) lines.push({ type: 'activity', at: entry.at, entry });
    after = page.nextCursor;
  }
  return lines;
}

/** Everybody who says, receives or does something, as the relay knows them; who is gone is known by name alone. */
function partiesOf(lines: readonly Line[], known: readonly Agent[]): RecordedAgent[] {
  const seen = new Map<string, number>();
  for (const line of lines) {
    const ids = line.type === 'message' ? idsIn(line.message) : [line.type === 'receipt' ? line.receipt.agentId : line.entry.agentId];
    for (const id of ids) if (!seen.has(id)) seen.set(id, line.at);
  }
  seen.delete(RELAY_AGENT_ID);
  return [...seen].map(([id, firstAt]) => {
    const agent = known.find((each) => each.id === id);
    if (!agent) return { id, kind: 'provider', label: null, tags: [], capabilities: [], channels: null, registeredAt: firstAt };
    const { kind, label, tags, capabilities, channels, registeredAt } = agent;
    return { id, kind, label, tags, capabilities, channels, registeredAt };
  });
}

const idsIn = ({ from, to }: Pick<Message, 'from' | 'to'>): readonly string[] => (to.startsWith('id:') ? [from, to.slice(3)] : [from]);
