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
  #inputs = 0;
  #closing: Promise<void> | undefined;

  constructor(parrot: ParrotProcess, options: StartOptions) {
    const { session, version } = parrot.ready;
    this.vendorSessionId = session;
    this.#parrot = parrot;
    this.#options = options;
    this.events = new SessionEvents({ cwd: options.cwd, approvalTimeoutMs: options.approvalTimeoutMs });
    this.events.emit({ type: 'session.started', vendorSessionId: session, cwd: options.cwd, version });
    this.events.emit({ type: 'session.status', status: 'idle' });
    this.ended = this.#follow();
  }

  async prompt({ text, ...input }: PromptInput, { mode }: PromptOptions): Promise<void> {
    this.#assertOpen();
    this.#inputs += 1;
    const id = `input-${this.#inputs}`;
    const isContext = mode === 'fyi';
    this.#translation.sent({ ...input, id, isContext });
    await this.#parrot.send({ type: 'input', id, text, when: isContext ? 'context' : mode });
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    if (this.events.openTurnId === null && !this.#translation.hasWaitingInput) return false;
    await this.#parrot.send({ type: 'stop' });
    return true;
  }

  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    this.#assertOpen();
    return this.events.approvals.resolve(approvalId, decision);
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
    if (verdict !== 'ask') return this.#answer(frame, verdict === 'allow');
    // Not awaited: meanwhile the frames are read on, and one of them may end the turn, and the question with it.
    void this.#askPerson(frame);
  }

  async #askPerson(frame: Extract<ToolFrame, { type: 'ask' }>): Promise<void> {
    const { turn: turnId, item: itemId, input } = frame;
    const { cwd } = this.#options;
    // It came as JSON; a person sees all of it.
    const question = { turnId, itemId, kind: kindOf(frame), title: titleOf(frame), cwd, input: JSON.parse(JSON.stringify(input)) };
    const asked = this.events.approvals.ask(question);
    this.events.emit({ type: 'session.status', status: 'waiting' });
    const { outcome } = await asked;
    if (outcome === 'cancelled') return;
    this.events.emit({ type: 'session.status', status: 'busy' });
    await this.#answer(frame, outcome === 'allowed');
  }

  /** The process may be gone already; then the frames end, and that is told. */
  async #answer({ ask }: Extract<ToolFrame, { type: 'ask' }>, allow: boolean): Promise<void> {
    await this.#parrot.send({ type: 'answer', ask, allow }).catch(() => {});
  }

  #assertOpen(): void {
    if (this.#closing !== undefined || this.#parrot.hasExited) throw new RelayError('connection_closed', 'The Parrot session has ended');
  }
}
