import { RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  type PromptInput,
  type PromptOptions,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';
import type { ToolFrame } from '../wire/frames.ts';
import type { ParrotProcess } from '../wire/parrot-process.ts';
import { mayUseTool } from './tool-policy.ts';
import { kindOf, ParrotTranslation, titleOf } from './translation.ts';

/** One running Parrot, as the relay sees it. */
export class ParrotSession implements AgentSession {
  readonly vendorSessionId: string;
  readonly model = null;
  readonly events: SessionEvents;
  /** Resolves when `session.ended` was emitted. */
  readonly ended: Promise<void>;
  readonly #parrot: ParrotProcess;
  readonly #options: StartOptions;
  readonly #translation = new ParrotTranslation();
  /** Questions that a person has not answered, and the turns they belong to. */
  readonly #asked = new Map<string, string>();
  #inputs = 0;
  #closing: Promise<void> | undefined;

  constructor(parrot: ParrotProcess, options: StartOptions) {
    const { session, version } = parrot.ready;
    this.vendorSessionId = session;
    this.#parrot = parrot;
    this.#options = options;
    this.events = new SessionEvents({ cwd: options.cwd });
    this.events.emit({ type: 'session.started', vendorSessionId: session, cwd: options.cwd, version });
    this.events.emit({ type: 'session.status', status: 'idle' });
    this.ended = this.#follow();
  }

  async prompt({ text, messageIds }: PromptInput, { mode }: PromptOptions): Promise<void> {
    this.#assertOpen();
    this.#inputs += 1;
    const id = `input-${this.#inputs}`;
    const isContext = mode === 'fyi';
    this.#translation.sent({ id, messageIds, isContext });
    await this.#parrot.send({ type: 'input', id, text, when: isContext ? 'context' : mode });
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    if (this.events.openTurnId === null && !this.#translation.hasWaitingInput) return false;
    await this.#parrot.send({ type: 'stop' });
    return true;
  }

  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<void> {
    this.#assertOpen();
    if (!this.#asked.delete(approvalId)) throw new RelayError('not_found', `No question ${approvalId} is open`);
    const isAllowed = decision.outcome === 'allow';
    this.events.emit({ type: 'approval.resolved', approvalId, outcome: isAllowed ? 'allowed' : 'denied', by: 'person' });
    this.events.emit({ type: 'session.status', status: 'busy' });
    await this.#parrot.send({ type: 'answer', ask: approvalId, allow: isAllowed });
  }

  close(): Promise<void> {
    this.#closing ??= this.#parrot.close().then(() => this.ended);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow(): Promise<void> {
    for await (const frame of this.#parrot.frames) {
      for (const event of this.#translation.translate(frame)) this.events.emit(event);
      if (frame.type === 'ask') await this.#decide(frame);
      // A turn that ended takes its questions with it: the events told so already.
      if (frame.type === 'end' || frame.type === 'failed') this.#asked.clear();
      await this.events.room(); // nobody reads: let Parrot wait
    }
    if (this.#closing !== undefined) return this.events.end({ reason: 'closed' });
    await this.#parrot.close();
    const { code, signal, lastWords } = await this.#parrot.exited;
    const detail = lastWords || (signal === null ? `Parrot exited with code ${code}` : `Parrot was ended by ${signal}`);
    this.events.end({ reason: code === 0 ? 'exited' : 'crashed', detail, ...(code === null ? {} : { exitCode: code }) });
  }

  async #decide(frame: Extract<ToolFrame, { type: 'ask' }>): Promise<void> {
    const { mode, approval, cwd } = this.#options;
    const verdict = mayUseTool(frame, { mode, approval, cwd, isMailTurn: this.#translation.isMailTurn });
    if (verdict === 'ask') return this.#askPerson(frame);
    // The process may be gone already; then the frames end, and that is told.
    await this.#parrot.send({ type: 'answer', ask: frame.ask, allow: verdict === 'allow' }).catch(() => {});
  }

  #askPerson(frame: Extract<ToolFrame, { type: 'ask' }>): void {
    const { ask, turn, item } = frame;
    this.#asked.set(ask, turn);
    this.events.emit({
      type: 'approval.requested',
      approvalId: ask,
      turnId: turn,
      itemId: item,
      kind: kindOf(frame),
      title: titleOf(frame),
      options: [
        { id: 'allow', label: 'Allow', outcome: 'allow' },
        { id: 'deny', label: 'Deny', outcome: 'deny' },
      ],
    });
    this.events.emit({ type: 'session.status', status: 'waiting' });
  }

  #assertOpen(): void {
    if (this.#closing !== undefined || this.#parrot.hasExited) throw new RelayError('connection_closed', 'The Parrot session has ended');
  }
}
