import type { AgentEvent, InboxItem, Session } from 'agent-relay-protocol';
import type { AgentSession, ApprovalDecision } from 'agent-relay-provider';
import { type Log, withTimeout } from 'agent-relay-wire';
import type { ActivityBuffer } from './activity-buffer.ts';
import { ActivityNormaliser } from './activity-normaliser.ts';
import { type AnswerLimit, assertAnswerWithin } from './answer-limit.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { Hooks } from './hooks/hooks.ts';
import { SessionHooks } from './hooks/session-hooks.ts';
import type { HostRelay, SessionEnd, SessionIdentity } from './host-relay.ts';
import { taskPrompt } from './instructions.ts';
import { withLinkedFiles } from './linked-files.ts';
import type { ProcessRegister } from './process-register.ts';
import { type ProgressLimits, ProgressWatch } from './progress-watch.ts';
import type { AgentPromptIds } from './prompt-ids.ts';
import { TriggerRunner } from './trigger-runner.ts';
import { TurnBudget } from './turn-budget.ts';

export interface HostedSessionOptions {
  readonly session: Session;
  readonly cwd: string;
  readonly runtime: AgentSession;
  readonly buffer: ActivityBuffer;
  readonly register: ProcessRegister;
  readonly relay: HostRelay;
  readonly log: Log;
  readonly now: () => number;
  readonly progress: ProgressLimits;
  /** See `isMailRestricted`. */
  readonly isMailRestricted: boolean;
  readonly hooks: Hooks;
  /** It works on another machine: its folder is none of this one. */
  readonly isElsewhere: boolean;
  /** Where its program, or its conversation, may outlive this process. */
  readonly promptIds?: AgentPromptIds | undefined;
}

const CLOSE_LIMIT_MS = 4_000;
/** So long the end of a session waits for the hooks that tell of it. */
const LAST_HOOKS_MS = 3_000;
/** So long one session's events may be handled in one turn of the event loop. */
const TURN_MS = 10;

/**
 * One running agent: its mail goes in, its activity and its triggers come out.
 *
 * States: *running* from construction; *ended* once its events are over and its processes are gone, then `ended` resolves and the relay is told.
 * It ends by `close` or by itself.
 */
export class HostedSession {
  readonly identity: SessionIdentity;
  readonly buffer: ActivityBuffer;
  readonly ended: Promise<void>;
  readonly #options: HostedSessionOptions;
  readonly #queue: DeliveryQueue;
  readonly #triggers: TriggerRunner;
  readonly #progress: ProgressWatch;
  readonly #hooks: SessionHooks;
  readonly #normaliser = new ActivityNormaliser();
  /** What waits for an answer. */
  readonly #asked = new Map<string, Extract<AgentEvent, { type: 'approval.requested' }>>();
  #closing: Promise<void> | null = null;
  #end: SessionEnd | null = null;
  #hasEnded = false;
  #isFinished = false;

  constructor(options: HostedSessionOptions) {
    const { session, runtime, relay, log, cwd } = options;
    const { sessionId, agentId, instanceId, epoch } = session;
    this.identity = { sessionId, agentId, instanceId, epoch };
    this.buffer = options.buffer;
    this.#options = options;
    this.#queue = new DeliveryQueue({
      session: runtime,
      dispatch: (messageIds) => relay.dispatch(this.identity, messageIds),
      report: (reports) => relay.report(this.identity, reports),
      log,
      hasContext: !options.isMailRestricted,
      promptIds: options.promptIds,
      onHandedOver: (items) => this.#hooks.received(items),
    });
    this.#hooks = this.#openHooks();
    this.#progress = new ProgressWatch((event) => {
      this.#hooks.observe(event);
      this.#record(event);
    }, options.progress);
    this.#triggers = new TriggerRunner({
      session: this.identity,
      cwd: options.isElsewhere ? null : cwd,
      relay,
      onFailure: (notice, event) => {
        this.#queue.addNotice(notice);
        this.#record(event);
      },
    });
    this.ended = this.#follow();
  }

  get fetchesItsMail(): boolean {
    return this.#options.session.target === 'background';
  }

  get presence(): 'idle' | 'busy' {
    return this.#queue.isTurnRunning ? 'busy' : 'idle';
  }

  offer(items: readonly InboxItem[]): void {
    this.#queue.offer(items);
  }

  wake(): void {
    this.#queue.wake();
  }

  /** `spawnedBy` gave the task: a person (null), or an agent, whose word is held to the approval mode like mail. */
  promptTask(task: string, spawnedBy: string | null): Promise<void> {
    return this.#queue.promptTask(taskPrompt(task, spawnedBy), { isMail: spawnedBy !== null });
  }

  interrupt(): Promise<boolean> {
    return this.#options.runtime.interrupt();
  }

  /** Of whoever is on this machine without a limit. @throws RelayError `forbidden` for a yes that goes further. */
  async resolveApproval(approvalId: string, decision: ApprovalDecision, limit?: AnswerLimit): Promise<boolean> {
    const asked = this.#asked.get(approvalId);
    if (limit !== undefined && asked === undefined) return false;
    if (limit !== undefined && asked !== undefined) assertAnswerWithin(limit, asked, decision);
    return (await this.#options.runtime.resolveApproval?.(approvalId, decision)) ?? false;
  }

  /** Ends the session with its whole process tree; resolves when it is gone. Idempotent. */
  close(reason: string): Promise<void> {
    this.#end ??= { status: 'ended', reason };
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #openHooks(): SessionHooks {
    const { session, cwd, isElsewhere, hooks, relay, log } = this.#options;
    const { agentId, sessionId, provider } = session;
    return new SessionHooks({
      hooks,
      session: {
        agentId,
        sessionId,
        provider,
        cwd: isElsewhere ? null : cwd,
        send: (message) => relay.send(this.identity, message),
        allow: (approvalId, by) => this.resolveApproval(approvalId, { outcome: 'allow', by }),
      },
      record: (event) => this.#record(event),
      feedBack: (text) => {
        // What a command wrote is nobody's word: it is held to the approval mode like mail.
        this.#queue
          .promptTask(text, { isMail: true })
          .catch((error: unknown) => log.info('an agent did not take what a hook said', { sessionId, error }));
      },
    });
  }

  async #close(): Promise<void> {
    const { runtime, log } = this.#options;
    this.#queue.close();
    await withTimeout(() => runtime.close(), CLOSE_LIMIT_MS, { what: 'end of the session' }).catch((error: unknown) =>
      log.warn('the provider could not end its session', { sessionId: this.identity.sessionId, error }),
    );
    await this.#options.register.endSession(this.identity.sessionId);
    await withTimeout(() => this.ended, CLOSE_LIMIT_MS, { what: 'end of the events' }).catch(() => {
      // A provider whose events never finish does not keep its agent alive: the processes are gone already.
      const event = { type: 'session.ended', reason: 'closed' } as const;
      this.#record(event);
      this.#queue.observe(event);
      this.#finish();
    });
  }

  async #follow(): Promise<void> {
    try {
      const budget = new TurnBudget(TURN_MS);
      for await (const event of this.#options.runtime.events) {
        this.#hooks.observe(event);
        if (event.type === 'session.ended') await this.#hooks.settled(LAST_HOOKS_MS);
        this.#accept(event);
        // What lies ready is read without a turn of the event loop in between: a flood would keep every other agent of this machine waiting.
        if (budget.isSpent) await budget.nextTurn();
      }
    } catch (error) {
      this.#options.log.error('a session’s events failed', { sessionId: this.identity.sessionId, error });
    }
    if (!this.#hasEnded) {
      const event = { type: 'session.ended', reason: this.#closing === null ? 'crashed' : 'closed' } as const;
      this.#hooks.observe(event);
      await this.#hooks.settled(LAST_HOOKS_MS);
      this.#record(event);
      this.#queue.observe(event);
      this.#end ??= endOf(event);
    }
    this.#queue.close();
    await this.#queue.programGone();
    await this.#options.register.endSession(this.identity.sessionId);
    // Its last words go out before its end is told: nobody may speak as an agent that has ended.
    await this.#triggers.settled();
    this.#finish();
  }

  #accept(event: AgentEvent): void {
    if (this.#hasEnded) return;
    const presenceBefore = this.presence;
    if (event.type === 'approval.requested') this.#asked.set(event.approvalId, event);
    if (event.type === 'approval.resolved') this.#asked.delete(event.approvalId);
    this.#progress.observe(event);
    // First: what the relay is told of mail the next process must find, should this one be killed now.
    this.#record(event);
    this.#queue.observe(event);
    if (event.type === 'turn.started') this.#triggers.turnStarted();
    if (event.type === 'text.completed') this.#triggers.run(event.text);
    if (event.type === 'session.ended') this.#end ??= endOf(event);
    if (this.presence !== presenceBefore) this.#options.relay.presenceChanged(this.identity, this.presence);
  }

  #record(event: AgentEvent): void {
    if (this.#hasEnded) return;
    this.#hasEnded = event.type === 'session.ended';
    const { stored, live } = this.#normaliser.accept(event);
    const at = this.#options.now();
    for (const entry of stored) this.buffer.append(this.#options.isElsewhere ? entry : withLinkedFiles(entry), at);
    if (stored.length > 0) this.#options.relay.activityStored(this.identity);
    if (live.length > 0) this.#options.relay.activityLive(this.identity, at, live);
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#progress.close();
    this.#options.relay.sessionEnded(this.identity, this.#end ?? { status: 'ended', reason: 'The agent ended by itself' });
  }
}

function endOf({ reason, detail }: Pick<Extract<AgentEvent, { type: 'session.ended' }>, 'reason' | 'detail'>): SessionEnd {
  const sentence = {
    closed: 'The session was closed',
    exited: 'The agent ended by itself',
    crashed: 'The agent’s process ended unexpectedly',
    lost: 'The connection to the agent was lost',
  }[reason];
  const status = reason === 'crashed' || reason === 'lost' ? 'failed' : 'ended';
  return { status, reason: detail === undefined ? sentence : `${sentence}: ${detail}`.slice(0, 1000) };
}
