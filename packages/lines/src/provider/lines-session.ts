import { RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  deliveryOf,
  type LiveEvent,
  type PromptInput,
  type PromptOptions,
  type SessionEvents,
} from 'agent-relay-provider';
import type { SessionRights } from 'agent-relay-provider/kit';
import { settlesWithin } from 'agent-relay-wire';
import type { TurnOutput } from './turn-output.ts';
import type { TurnRun } from './turn-run.ts';

/** How long a program may stay that has said how its turn ended: what comes next waits for it. */
const lingerMs = 5_000;

export interface LinesSessionOptions {
  readonly name: string;
  readonly events: SessionEvents;
  readonly output: TurnOutput;
  readonly rights: SessionRights;
  readonly model: string | null;
  /** The conversation that the session goes on with. */
  readonly resume: string | null;
  /** What goes ahead of the first prompt: a command line has no other place for standing instructions. */
  readonly preamble: string;
  /** Starts the program for one prompt, in the conversation of this id. */
  readonly run: (prompt: string, conversation: string | null) => Promise<TurnRun>;
}

interface Held {
  readonly input: PromptInput;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface RunningTurn {
  readonly run: TurnRun;
  wasStopped: boolean;
  readonly over: Promise<void>;
}

/** One agent whose turns are runs of a program, one at a time: what comes during a turn is held, oldest first. Between turns no process runs. */
export class LinesSession implements AgentSession {
  readonly events: SessionEvents;
  readonly #options: LinesSessionOptions;
  readonly #held: Held[] = [];
  #preamble: string;
  #turn: RunningTurn | undefined;
  #starting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LinesSessionOptions) {
    this.#options = options;
    this.#preamble = options.preamble;
    this.events = options.events;
  }

  get vendorSessionId(): string | null {
    return this.#options.output.sessionId ?? this.#options.resume;
  }

  get model(): string | null {
    return this.#options.output.model ?? this.#options.model;
  }

  async prompt(input: PromptInput, { mode }: PromptOptions): Promise<void> {
    this.#assertOpen();
    const isUrgent = deliveryOf(input, mode, this.#options.rights) === 'urgent';
    const sent = new Promise<void>((resolve, reject) => {
      if (isUrgent) this.#held.unshift({ input, resolve, reject });
      else this.#held.push({ input, resolve, reject });
    });
    sent.catch(() => {}); // whoever prompts hears of it below
    if (isUrgent) await this.#stopTurn();
    this.#startHeld();
    await sent;
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    await this.#starting;
    // A program may take a while to go when its turn is over.
    return this.events.openTurnId !== null && (await this.#stopTurn());
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { reject } of this.#held.splice(0)) reject(this.#endedError());
    await this.#starting;
    await this.#stopTurn();
    this.events.end({ reason: 'closed' });
  }

  #startHeld(): void {
    const next = this.#turn || this.#starting || this.#closing ? undefined : this.#held.shift();
    if (!next) return;
    this.#starting = this.#start(next).finally(() => {
      this.#starting = undefined;
      // One that could not be started makes room for the next.
      if (!this.#turn) this.#startHeld();
    });
  }

  async #start({ input, resolve, reject }: Held): Promise<void> {
    const { output, run } = this.#options;
    try {
      const running = await run(`${this.#preamble}${input.text}`, this.vendorSessionId);
      this.#preamble = '';
      this.#emit(output.begin(input));
      const turn: RunningTurn = { run: running, wasStopped: false, over: this.#follow(running) };
      this.#turn = turn;
      resolve();
    } catch (error) {
      reject(error);
    }
  }

  async #follow(run: TurnRun): Promise<void> {
    const { output } = this.#options;
    let isOver = false;
    for await (const { stream, text } of run.lines) {
      this.#emit(stream === 'stdout' ? output.line(text) : [{ type: 'output.line', stream, text }]);
      if (!isOver && this.events.openTurnId === null) {
        isOver = true;
        void endLingering(run);
      }
      await this.events.room();
    }
    const end = await run.ended;
    const wasStopped = this.#turn?.wasStopped ?? false;
    this.#turn = undefined;
    this.#emit(output.end({ ...end, wasStopped }));
    this.#startHeld();
  }

  /** False when no turn was running. */
  async #stopTurn(): Promise<boolean> {
    await this.#starting;
    const turn = this.#turn;
    if (!turn) return false;
    turn.wasStopped = true;
    await turn.run.stop();
    await turn.over;
    return true;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined || this.events.isEnded) throw this.#endedError();
  }

  #endedError(): RelayError {
    return new RelayError('connection_closed', `The ${this.#options.name} session has ended`);
  }

  #emit(events: readonly LiveEvent[]): void {
    for (const event of events) this.events.emit(event);
  }
}

async function endLingering(run: TurnRun): Promise<void> {
  if (!(await settlesWithin(run.ended, lingerMs))) await run.stop();
}
