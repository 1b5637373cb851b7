import { isMail, type LiveEvent } from 'agent-relay-provider';
import type { SystemFrame } from '../stream-json/message-frames.ts';
import { BackgroundTasks } from './background-tasks.ts';
import { PromptLedger, type SentPrompt } from './prompt-ledger.ts';

/**
 * Which turn runs, and whose it is. A turn begins with the first sign that the model is asked, or with a prompt entering the conversation. Prompts that
 * Claude merges share a turn.
 */
export class TurnState {
  readonly ledger = new PromptLedger();
  readonly #tasks = new BackgroundTasks();
  #number = 0;
  #id: string | null = null;
  #isMail = false;
  #hasPrompt = false;
  /** A stopped turn of mail whose end has not come may go on: until Claude says that it ended, its tools are asked for as mail's are. */
  #mayStillBeMail = false;
  /** A prompt of this session's has entered: what was asked before it is over. */
  #isKnown = false;

  get id(): string | null {
    return this.#id;
  }

  get number(): number {
    return this.#number;
  }

  /**
   * Whether relay mail is in the running turn, or was in the last: a turn that Claude begins by itself continues what that one asked. While
   * it is not yet known what began a turn, mail that waits counts.
   */
  get isMail(): boolean {
    return this.#mayStillBeMail || this.#isMail || (!this.#hasPrompt && this.ledger.hasWaitingMail);
  }

  /** Whether relay mail is in the running turn, may be in it, or waits to be: of what was asked before this session nobody knows. */
  get mayHoldMail(): boolean {
    return !this.#isKnown || this.isMail || this.ledger.hasWaitingMail;
  }

  hear(frame: SystemFrame): void {
    this.#tasks.hear(frame);
  }

  /** Otherwise than by a prompt of ours: a tool of the relay's handed out what others wrote, or an earlier session's mail is found. The turn is one of mail from here on. */
  mailArrived(): void {
    this.#isMail = true;
    this.#hasPrompt = true;
  }

  /** `parent`: a sub-agent's word is the first sign of it. A turn that a prompt waits for is taken to be that prompt's. Nothing while one runs. */
  begin({ isPrompted = this.ledger.hasWaiting, parent = null }: { isPrompted?: boolean; parent?: string | null } = {}): LiveEvent[] {
    if (this.#id !== null) return [];
    const news = this.#tasks.takeCause(parent);
    const cause = isPrompted ? undefined : news;
    this.#number += 1;
    this.#id = `turn-${this.#number}`;
    this.#hasPrompt = false;
    return [
      { type: 'turn.started', turnId: this.#id, ...(cause === undefined ? {} : { cause }) },
      { type: 'session.status', status: 'busy' },
    ];
  }

  promptEntered(uuid: string): LiveEvent[] {
    const entered = this.ledger.entered(uuid);
    if (!entered) return [];
    if (entered.prompt.isContext) return [...entered.events, userMessage(entered.prompt, null)];
    const begin = this.begin({ isPrompted: true });
    this.#isMail = (this.#hasPrompt && this.#isMail) || isMail(entered.prompt);
    this.#hasPrompt = true;
    this.#isKnown = true;
    return [...begin, ...entered.events, userMessage(entered.prompt, this.#id)];
  }

  /** Claude repeated it. */
  promptEchoed(uuid: string): LiveEvent[] {
    return this.ledger.isFirstEchoOfRepeat(uuid) ? [...this.ledger.queued(uuid)] : this.promptEntered(uuid);
  }

  /** Claude says that it begins a turn. */
  introduced(): LiveEvent[] {
    return this.ledger.enteringNow().flatMap((uuid) => this.promptEntered(uuid));
  }

  modelSpoke(): LiveEvent[] {
    return [...this.begin(), ...this.ledger.modelSpoke()];
  }

  /** Claude said that it is over. Answers which one was. */
  end(): string | null {
    const id = this.#id;
    this.#id = null;
    this.#mayStillBeMail = false;
    return id;
  }

  /** It was stopped here, and Claude has not said that it is over. */
  stop(): void {
    this.#mayStillBeMail = this.isMail;
    this.#id = null;
  }
}

function userMessage({ text, messageIds }: SentPrompt, turnId: string | null): LiveEvent {
  return {
    type: 'user.message',
    text,
    ...(turnId === null ? {} : { turnId }),
    ...(messageIds.length > 0 ? { messageIds: [...messageIds] } : {}),
  };
}
