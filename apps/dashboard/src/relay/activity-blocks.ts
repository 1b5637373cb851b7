import type { ActivityEntry, AgentEvent } from 'agent-relay-client';

type Usage = NonNullable<Event<'turn.completed'>['usage']>;
type Event<Type extends AgentEvent['type']> = Extract<AgentEvent, { type: Type }>;

/** One thing a person reads in an agent's activity. Deltas grow a block; the completed event replaces it. */
export type ActivityBlock = {
  readonly key: string;
  readonly at: number;
  readonly turnId: string | null;
} /** `messageIds`: of the relay's messages that it carries. */ & (
  | { readonly kind: 'prompt'; readonly text: string; readonly messageIds: readonly number[] }
  | { readonly kind: 'text' | 'reasoning'; readonly text: string; readonly isStreaming: boolean }
  | {
      readonly kind: 'tool';
      readonly name: string;
      readonly title: string;
      readonly input: Event<'tool.started'>['input'] | null;
      /** Of the call that runs the sub-agent whose call this is; null where the agent called itself. */
      readonly parentKey: string | null;
      readonly output: string;
      readonly outcome: Event<'tool.completed'>['outcome'] | 'running';
      readonly exitCode: number | null;
    }
  | { readonly kind: 'files'; readonly changes: Event<'file.changed'>['changes']; readonly parentKey: string | null }
  | { readonly kind: 'plan'; readonly steps: Event<'plan.updated'>['steps'] }
  | {
      readonly kind: 'turn';
      readonly outcome: 'finished' | 'interrupted' | 'failed';
      readonly detail: string;
      readonly usage: Usage | null;
      readonly durationMs: number | null;
    }
  | { readonly kind: 'notice'; readonly tone: 'info' | 'warning' | 'error'; readonly text: string }
);

const OUTPUT_LIMIT = 20_000;

/** Blocks as they are put together: what goes on finds its block by its key. */
export class Blocks {
  readonly list: ActivityBlock[];
  readonly #places = new Map<string, number>();

  constructor(blocks: readonly ActivityBlock[]) {
    this.list = [...blocks];
    for (const [place, { key }] of blocks.entries()) this.#places.set(key, place);
  }

  find(key: string): ActivityBlock | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.list[place];
  }

  /** `key`: the entry's. */
  add(entry: ActivityEntry, key: string): void {
    const block = blockOf(this, entry, key);
    if (block === null) return;
    const place = this.#places.get(key);
    if (place === undefined) this.#places.set(key, this.list.push(block) - 1);
    else this.list[place] = block;
  }
}

/** The key of the block that an entry makes or changes, if it makes one. */
export function keyOfEntry({ sessionId, seq, id, event }: ActivityEntry): string {
  if (event.type === 'plan.updated') return `${sessionId}:plan:${event.turnId ?? ''}`;
  return 'itemId' in event ? keyOfItem(sessionId, event.itemId) : `${sessionId}:${seq}:${id}`;
}

const keyOfItem = (sessionId: string, itemId: string | undefined): string => `${sessionId}:item:${itemId}`;

/** The block that an entry makes or changes; null for what is only for machines. One case for each kind of event that has a block of its own. */
function blockOf(blocks: Blocks, entry: ActivityEntry, key: string): ActivityBlock | null {
  const { event, at } = entry;
  const own = { key, at };
  switch (event.type) {
    case 'user.message':
      return { ...own, turnId: event.turnId ?? null, kind: 'prompt', text: event.text, messageIds: event.messageIds ?? [] };
    case 'text.delta':
    case 'reasoning.delta':
      return goOn(blocks, event, own);
    case 'text.completed':
    case 'reasoning.completed': {
      const kind = event.type === 'text.completed' ? 'text' : 'reasoning';
      return { ...own, turnId: event.turnId, kind, text: event.text, isStreaming: false };
    }
    case 'tool.started':
      return {
        ...own,
        turnId: event.turnId,
        kind: 'tool',
        name: event.name,
        title: event.title,
        input: event.input ?? null,
        parentKey: event.parentItemId === undefined ? null : keyOfItem(entry.sessionId, event.parentItemId),
        output: '',
        outcome: 'running',
        exitCode: null,
      };
    case 'tool.updated':
    case 'tool.completed':
      return goOnWithTool(blocks, event, own.key);
    case 'file.changed':
      return { ...own, turnId: event.turnId ?? null, kind: 'files', changes: event.changes, parentKey: parentKeyIn(blocks.find(own.key)) };
    case 'plan.updated':
      return { ...own, turnId: event.turnId ?? null, kind: 'plan', steps: event.steps };
    case 'turn.completed': {
      const { turnId, outcome, usage = null, durationMs = null } = event;
      return { ...own, turnId, kind: 'turn', outcome, detail: '', usage, durationMs };
    }
    case 'turn.failed':
      return {
        ...own,
        turnId: event.turnId,
        kind: 'turn',
        outcome: 'failed',
        detail: event.error.message,
        usage: null,
        durationMs: null,
      };
    default: {
      const notice = noticeOf(event);
      return notice && { ...own, turnId: null, kind: 'notice', ...notice };
    }
  }
}

type Place = Pick<ActivityBlock, 'key' | 'at'>;

/** A piece more of what an agent says or thinks; what it has said in full stays as it is. */
function goOn(blocks: Blocks, event: Event<'text.delta' | 'reasoning.delta'>, place: Place): ActivityBlock | null {
  const before = blocks.find(place.key);
  if (before && (before.kind === 'text' || before.kind === 'reasoning') && !before.isStreaming) return null;
  const text = before && 'text' in before ? before.text + event.text : event.text;
  const kind = event.type === 'text.delta' ? 'text' : 'reasoning';
  return { ...place, at: before?.at ?? place.at, turnId: event.turnId, kind, text, isStreaming: true };
}

function goOnWithTool(blocks: Blocks, event: Event<'tool.updated' | 'tool.completed'>, key: string): ActivityBlock | null {
  const before = blocks.find(key);
  if (before?.kind !== 'tool') return null;
  if (event.type === 'tool.updated') return { ...before, output: (before.output + event.output).slice(-OUTPUT_LIMIT) };
  return { ...before, output: event.output ?? before.output, outcome: event.outcome, exitCode: event.exitCode ?? null };
}

/** What a call changed stands where the call stood. */
const parentKeyIn = (before: ActivityBlock | undefined): string | null =>
  before !== undefined && 'parentKey' in before ? before.parentKey : null;

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
    case 'hook.completed':
      return {
        tone: event.outcome === 'failed' || event.outcome === 'timed_out' ? 'warning' : 'info',
        text: `Hook ${event.hook}: ${event.outcome.replace('_', ' ')}`,
      };
    case 'approval.requested':
      return { tone: 'warning', text: `Asks: ${event.title}` };
    case 'approval.resolved':
      return { tone: 'info', text: `Approval ${event.outcome} by ${event.by}` };
    default:
      return null;
  }
}
