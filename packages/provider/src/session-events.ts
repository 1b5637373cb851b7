import { resolve } from 'node:path';
import type { AgentEvent } from 'agent-relay-protocol';
import { RecentSet } from 'agent-relay-wire';
import { ApprovalDesk } from './approval-desk.ts';
import { EventBuffer } from './event-buffer.ts';
import { ourId } from './our-id.ts';

export type SessionEnded = Extract<AgentEvent, { type: 'session.ended' }>;
/** Why a session ended. */
export type EndOfSession = Omit<SessionEnded, 'type'>;
/** What a session may say while it runs; only its base ends it. */
export type LiveEvent = Exclude<AgentEvent, SessionEnded>;
/** What a turn failed with. */
export type AgentFault = Extract<AgentEvent, { type: 'turn.failed' }>['error'];
type TurnStarted = Extract<AgentEvent, { type: 'turn.started' }>;
type TurnEnded = Extract<AgentEvent, { type: 'turn.completed' | 'turn.failed' }>;
type ToolStarted = Extract<AgentEvent, { type: 'tool.started' }>;
type ToolCompleted = Extract<AgentEvent, { type: 'tool.completed' }>;

export interface SessionEventsOptions {
  /** Absolute: what a relative path of the vendor is relative to. */
  readonly cwd: string;
  /** Characters that may wait unread. Default 8 Mi. */
  readonly limit?: number;
  /** How long a question to a person waits. Default ten minutes. */
  readonly approvalTimeoutMs?: number | undefined;
  /** As `StartOptions` says it. Default `drop`. */
  readonly whenUnread?: 'drop' | 'wait' | undefined;
}

const remembered = 4096;
const longestOutput = 64 * 1024;
/** More tools than this at a time are no work but a fault of the vendor's: those beyond are not told, and once that it is so. */
const mostOpenTools = 4096;

/**
 * The events of one session, with what the contract promises about them held in one place:
 * - a tool that started completes once: when its turn or the session ends first it is closed as `interrupted`. If the vendor reports
 *   its end after all (a command that went on in the background), that later word is let through, once;
 * - a turn ends once: a second end is dropped, an end without a start gets one, another turn's start ends the open one as interrupted,
 *   and the end of the session ends it (`closed`: interrupted; otherwise `turn.failed` with `agent_crashed` or `agent_lost`);
 * - an open approval is resolved as `cancelled` when its turn or the session ends;
 * - at most 4,096 tools are open at a time, and those beyond are not told of;
 * - ids are short strings (`ourId`), paths absolute, a tool's output at most 64 Ki characters;
 * - `session.ended` is the last.
 *
 * What waits unread is bounded: a waiting delta grows instead of being joined by another; at the limit the oldest deltas, progress lines and
 * vendor events are dropped, state events never; with `wait` nothing is, and `room()` waits instead. Await it before reading more from the vendor.
 */
export class SessionEvents implements AsyncIterable<AgentEvent> {
  /** Asks people, and takes their answers. */
  readonly approvals: ApprovalDesk;
  /** Resolves when the session has ended: `session.ended` is told, though perhaps not yet read. */
  readonly ended: Promise<void>;
  readonly #cwd: string;
  readonly #buffer: EventBuffer;
  readonly #openTools = new Map<string, string>();
  readonly #openApprovals = new Map<string, string | undefined>();
  readonly #closedForVendor = new RecentSet<string>(remembered);
  readonly #completedTools = new RecentSet<string>(remembered);
  readonly #endedTurns = new RecentSet<string>(remembered);
  #resolveEnded: () => void = () => {};
  #openTurnId: string | null = null;
  #isEnded = false;
  #isIterated = false;
  #hasTooManyTools = false;

  constructor({ cwd, limit = 8 << 20, approvalTimeoutMs = 600_000, whenUnread = 'drop' }: SessionEventsOptions) {
    this.approvals = new ApprovalDesk({ emit: (event) => this.emit(event), timeoutMs: approvalTimeoutMs });
    this.#cwd = cwd;
    this.#buffer = new EventBuffer(limit, whenUnread);
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  get openTurnId(): string | null {
    return this.#openTurnId;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** How many deltas and details were dropped because nobody read them in time. */
  get dropped(): number {
    return this.#buffer.dropped;
  }

  emit(event: LiveEvent): void {
    if (this.#isEnded) return;
    const clean = withOurIds(event);
    switch (clean.type) {
      case 'turn.started':
        this.#startTurn(clean);
        return;
      case 'turn.completed':
      case 'turn.failed':
        this.#endTurn(clean);
        return;
      case 'tool.started':
        this.#startTool(clean);
        return;
      case 'tool.completed':
        this.#completeTool(clean);
        return;
      case 'approval.requested':
        this.#openApprovals.set(clean.approvalId, clean.turnId);
        break;
      case 'approval.resolved':
        if (!this.#openApprovals.delete(clean.approvalId)) return;
        break;
      case 'file.changed':
        this.#buffer.push({ ...clean, changes: clean.changes.map((change) => this.#withAbsolutePaths(change)) });
        return;
      case 'session.started':
        this.#buffer.push({ ...clean, cwd: resolve(this.#cwd, clean.cwd) });
        return;
      case 'tool.updated':
        this.#buffer.push({ ...clean, output: cut(clean.output) });
        return;
    }
    this.#buffer.push(clean);
  }

  /** Ends whatever is open, then the session. Idempotent: the first reason stays. */
  end({ reason, detail, exitCode }: EndOfSession): void {
    if (this.#isEnded) return;
    const turnId = this.#openTurnId;
    if (turnId !== null) this.#endTurn(reason === 'closed' ? interrupted(turnId) : crashed(turnId, reason, detail));
    for (const [itemId, itsTurnId] of this.#openTools) this.#closeTool(itemId, itsTurnId);
    for (const approvalId of this.#openApprovals.keys()) this.#cancelApproval(approvalId);
    this.#isEnded = true;
    this.approvals.close();
    this.#buffer.push({
      type: 'session.ended',
      reason,
      ...(detail === undefined ? {} : { detail }),
      ...(exitCode === undefined ? {} : { exitCode }),
    });
    this.#buffer.end();
    this.#resolveEnded();
  }

  /** Resolves when there is room for more. A session that never waits for it may hold any number of state events. */
  room(): Promise<void> {
    return this.#buffer.room();
  }

  [Symbol.asyncIterator](): AsyncIterator<AgentEvent, undefined> {
    if (this.#isIterated) throw new TypeError('The events of a session can be iterated once');
    this.#isIterated = true;
    return this.#buffer;
  }

  #startTurn(event: TurnStarted): void {
    const { turnId } = event;
    if (turnId === this.#openTurnId || this.#endedTurns.has(turnId)) return;
    if (this.#openTurnId !== null) this.#endTurn(interrupted(this.#openTurnId));
    this.#openTurnId = turnId;
    this.#buffer.push(event);
  }

  #endTurn(event: TurnEnded): void {
    const { turnId } = event;
    if (this.#endedTurns.has(turnId)) return;
    this.#startTurn({ type: 'turn.started', turnId });
    for (const [itemId, itsTurnId] of this.#openTools) if (itsTurnId === turnId) this.#closeTool(itemId, turnId);
    for (const [approvalId, itsTurnId] of this.#openApprovals) {
      if (itsTurnId === turnId || itsTurnId === undefined) this.#cancelApproval(approvalId);
    }
    this.#endedTurns.add(turnId);
    this.#openTurnId = null;
    this.#buffer.push(event);
  }

  #startTool(event: ToolStarted): void {
    const { itemId, turnId } = event;
    if (this.#openTools.has(itemId) || this.#completedTools.has(itemId) || this.#closedForVendor.has(itemId)) return;
    if (this.#openTools.size >= mostOpenTools) {
      this.#tooManyTools();
      return;
    }
    this.#openTools.set(itemId, turnId);
    this.#buffer.push(event);
  }

  #tooManyTools(): void {
    if (this.#hasTooManyTools) return;
    this.#hasTooManyTools = true;
    const message = `More than ${mostOpenTools} tools are open at a time: those beyond are not shown`;
    this.#buffer.push({ type: 'agent.error', code: 'too_many_tools', message, willRetry: true });
  }

  #completeTool(event: ToolCompleted): void {
    const { itemId } = event;
    const isLate = this.#closedForVendor.delete(itemId);
    if (!this.#openTools.delete(itemId) && !isLate) return;
    this.#completedTools.add(itemId);
    this.#buffer.push(event.output === undefined ? event : { ...event, output: cut(event.output) });
  }

  #closeTool(itemId: string, turnId: string): void {
    this.#openTools.delete(itemId);
    this.#closedForVendor.add(itemId);
    this.#buffer.push({ type: 'tool.completed', turnId, itemId, outcome: 'interrupted' });
  }

  #cancelApproval(approvalId: string): void {
    this.#openApprovals.delete(approvalId);
    this.#buffer.push({ type: 'approval.resolved', approvalId, outcome: 'cancelled', by: 'session' });
    this.approvals.cancelled(approvalId);
  }

  #withAbsolutePaths<T extends { path: string; movedTo?: string | undefined }>(change: T): T {
    const path = resolve(this.#cwd, change.path);
    return change.movedTo === undefined ? { ...change, path } : { ...change, path, movedTo: resolve(this.#cwd, change.movedTo) };
  }
}

const interrupted = (turnId: string): TurnEnded => ({ type: 'turn.completed', turnId, outcome: 'interrupted' });

function crashed(turnId: string, reason: 'exited' | 'crashed' | 'lost', detail: string | undefined): TurnEnded {
  const code = reason === 'lost' ? 'agent_lost' : 'agent_crashed';
  const message = detail ?? (reason === 'lost' ? 'The connection to the agent was lost' : "The agent's process ended during the turn");
  return { type: 'turn.failed', turnId, error: { code, message, retryable: true } };
}

function withOurIds<T extends AgentEvent>(event: T): T {
  const ids: Record<string, string> = {};
  for (const key of ['turnId', 'itemId', 'parentItemId', 'approvalId'] as const) {
    const id: unknown = Reflect.get(event, key);
    if (id !== undefined && ourId(id) !== id) ids[key] = ourId(id);
  }
  return Object.keys(ids).length === 0 ? event : { ...event, ...ids };
}

function cut(output: string): string {
  if (output.length <= longestOutput) return output;
  return `${output.slice(0, longestOutput)}\n… ${output.length - longestOutput} more characters`;
}
