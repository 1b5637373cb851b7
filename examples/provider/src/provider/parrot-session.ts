import { RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type ApprovalDecision,
  deliveryOf,
  type PromptInput,
  type PromptOptions,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';
import { judgeTool, processEnd } from 'agent-relay-provider/kit';
import type { ToolFrame } from '../wire/frames.ts';
import type { ParrotProcess } from '../wire/parrot-process.ts';
import { kindOf, titleOf, toolUse } from './tool-words.ts';
import { ParrotTranslator } from './translator.ts';

/** One running Parrot, as the relay sees it. */
export class ParrotSession implements AgentSession {
  readonly vendorSessionId: string;
  readonly model = null;
  readonly events: SessionEvents;
  readonly #parrot: ParrotProcess;
  readonly #options: StartOptions;
  readonly #translator = new ParrotTranslator();
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
    void this.#follow();
  }

  async prompt({ text, ...input }: PromptInput, { mode: asked }: PromptOptions): Promise<void> {
    this.#assertOpen();
    const mode = deliveryOf(input, asked, this.#options);
    this.#inputs += 1;
    const id = `input-${this.#inputs}`;
    const isContext = mode === 'fyi';
    this.#translator.sent({ ...input, id, isContext });
    await this.#parrot.send({ type: 'input', id, text, when: isContext ? 'context' : mode });
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    if (this.events.openTurnId === null && !this.#translator.hasWaitingInput) return false;
    await this.#parrot.send({ type: 'stop' });
    return true;
  }

  async resolveApproval(approvalId: string, decision: ApprovalDecision): Promise<boolean> {
    this.#assertOpen();
    return this.events.approvals.resolve(approvalId, decision);
  }

  close(): Promise<void> {
    this.#closing ??= this.#parrot.close().then(() => this.events.ended);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #follow(): Promise<void> {
    for await (const frame of this.#parrot.frames) {
      for (const event of this.#translator.translate(frame)) this.events.emit(event);
      if (frame.type === 'ask') await this.#decide(frame);
      await this.events.room(); // nobody reads: let Parrot wait
    }
    this.events.end(this.#closing ? { reason: 'closed' } : await processEnd(this.#parrot.child, 'Parrot'));
  }

  async #decide(frame: Extract<ToolFrame, { type: 'ask' }>): Promise<void> {
    const { outcome } = judgeTool(toolUse(frame), this.#options, this.#translator.isMailTurn);
    if (outcome !== 'ask') return this.#answer(frame, outcome === 'allow');
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
    if (this.#closing !== undefined || this.#parrot.child.hasExited)
      throw new RelayError('connection_closed', 'The Parrot session has ended');
  }
}
