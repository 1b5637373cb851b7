import type { ActivityEntry, AgentEvent } from 'agent-relay-client';

type Event<Type extends AgentEvent['type']> = Extract<AgentEvent, { type: Type }>;

/** One thing a person reads in an agent's activity. Deltas grow a block; the completed event replaces it. */
export type ActivityBlock = { readonly key: string; readonly at: number; readonly turnId: string | null } & (
  | { readonly kind: 'prompt'; readonly text: string }
  | { readonly kind: 'text' | 'reasoning'; readonly text: string; readonly isStreaming: boolean }
  | {
      readonly kind: 'tool';
      readonly name: string;
      readonly title: string;
      readonly output: string;
      readonly outcome: Event<'tool.completed'>['outcome'] | 'running';
    }
  | { readonly kind: 'files'; readonly changes: Event<'file.changed'>['changes'] }
  | { readonly kind: 'plan'; readonly steps: Event<'plan.updated'>['steps'] }
  | { readonly kind: 'turn'; readonly outcome: 'finished' | 'interrupted' | 'failed'; readonly detail: string }
  | { readonly kind: 'notice'; readonly tone: 'info' | 'warning' | 'error'; readonly text: string }
);

/** Blocks kept on the page, the newest. */
export const BLOCK_LIMIT = 5_000;
const OUTPUT_LIMIT = 20_000;

/** Adds one entry to what is shown. Stored entries that are here already change nothing. */
export function addEntry(blocks: readonly ActivityBlock[], entry: ActivityEntry): readonly ActivityBlock[] {
  const next = fold(blocks, entry);
  return next.length > BLOCK_LIMIT ? next.slice(-BLOCK_LIMIT) : next;
}

function fold(blocks: readonly ActivityBlock[], entry: ActivityEntry): readonly ActivityBlock[] {
  const { event, at } = entry;
  const own = `${entry.sessionId}:${entry.seq}:${entry.id}`;
  const place = (itemId: string) => `${entry.sessionId}:item:${itemId}`;
  switch (event.type) {
    case 'user.message':
      return put(blocks, { key: own, at, turnId: event.turnId ?? null, kind: 'prompt', text: event.text });
    case 'text.delta':
    case 'reasoning.delta':
      return goOn(blocks, event, { key: place(event.itemId), at });
    case 'text.completed':
    case 'reasoning.completed':
      return put(blocks, {
        key: place(event.itemId),
        at,
        turnId: event.turnId,
        kind: event.type === 'text.completed' ? 'text' : 'reasoning',
        text: event.text,
        isStreaming: false,
      });
    case 'tool.started':
      return put(blocks, {
        key: place(event.itemId),
        at,
        turnId: event.turnId,
        kind: 'tool',
        name: event.name,
        title: event.title,
        output: '',
        outcome: 'running',
      });
    case 'tool.updated':
    case 'tool.completed':
      return goOnWithTool(blocks, event, place(event.itemId));
    case 'file.changed':
      return put(blocks, { key: own, at, turnId: event.turnId ?? null, kind: 'files', changes: event.changes });
    case 'plan.updated':
      return put(blocks, {
        key: `${entry.sessionId}:plan:${event.turnId ?? ''}`,
        at,
        turnId: event.turnId ?? null,
        kind: 'plan',
        steps: event.steps,
      });
    case 'turn.completed':
      return put(blocks, { key: own, at, turnId: event.turnId, kind: 'turn', outcome: event.outcome, detail: '' });
    case 'turn.failed':
      return put(blocks, { key: own, at, turnId: event.turnId, kind: 'turn', outcome: 'failed', detail: event.error.message });
    default: {
      const notice = noticeOf(event);
      return notice ? put(blocks, { key: own, at, turnId: null, kind: 'notice', ...notice }) : blocks;
    }
  }
}

type EventOf<Type extends AgentEvent['type']> = Extract<AgentEvent, { readonly type: Type }>;
type Place = Pick<ActivityBlock, 'key' | 'at'>;

/** A piece more of what an agent says or thinks; what it has said in full stays as it is. */
function goOn(
  blocks: readonly ActivityBlock[],
  event: EventOf<'text.delta' | 'reasoning.delta'>,
  { key, at }: Place,
): readonly ActivityBlock[] {
  const before = blocks.findLast((block) => block.key === key);
  if (before && (before.kind === 'text' || before.kind === 'reasoning') && !before.isStreaming) return blocks;
  const text = before && 'text' in before ? before.text + event.text : event.text;
  return put(blocks, {
    key,
    at,
    turnId: event.turnId,
    kind: event.type === 'text.delta' ? 'text' : 'reasoning',
    text,
    isStreaming: true,
  });
}

function goOnWithTool(
  blocks: readonly ActivityBlock[],
  event: EventOf<'tool.updated' | 'tool.completed'>,
  key: string,
): readonly ActivityBlock[] {
  const before = blocks.findLast((block) => block.key === key);
  if (before?.kind !== 'tool') return blocks;
  const output = event.type === 'tool.updated' ? (before.output + event.output).slice(-OUTPUT_LIMIT) : (event.output ?? before.output);
  return put(blocks, { ...before, output, outcome: event.type === 'tool.completed' ? event.outcome : before.outcome });
}

/** What a person is told of an event that has no block of its own; null for what is only for machines. */
function noticeOf(event: AgentEvent): { readonly tone: 'info' | 'warning' | 'error'; readonly text: string } | null {
  switch (event.type) {
    case 'session.started':
      return { tone: 'info', text: `Session started in ${event.cwd}${event.model ? ` with ${event.model}` : ''}` };
    case 'session.ended':
      return { tone: event.reason === 'closed' ? 'info' : 'error', text: `Session ended: ${event.detail ?? event.reason}` };
    case 'session.status':
      return event.status === 'waiting' ? { tone: 'warning', text: `Waiting: ${event.detail ?? 'for a person'}` } : null;
    case 'agent.error':
      return { tone: event.willRetry ? 'warning' : 'error', text: event.willRetry ? `${event.message} (trying again)` : event.message };
    case 'quota.warning':
      return { tone: 'warning', text: event.message };
    case 'context.warning':
      return { tone: 'warning', text: `Context ${Math.round((100 * event.usedTokens) / Math.max(1, event.contextWindow))} % full` };
    case 'context.compacted':
      return { tone: 'info', text: 'The context was compacted' };
    case 'approval.requested':
      return { tone: 'warning', text: `Asks: ${event.title}` };
    case 'approval.resolved':
      return { tone: 'info', text: `Approval ${event.outcome} by ${event.by}` };
    default:
      return null;
  }
}

function put(blocks: readonly ActivityBlock[], block: ActivityBlock): readonly ActivityBlock[] {
  // What goes on is near the end.
  const index = blocks.findLastIndex(({ key }) => key === block.key);
  return index === -1 ? blocks.concat(block) : blocks.with(index, block);
}
