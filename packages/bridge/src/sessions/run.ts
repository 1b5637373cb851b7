import type { PromptImage } from 'agent-relay-provider';
import { aborted } from 'agent-relay-wire';

/** What a session is started with; another needs another process, which goes on with the same conversation. */
export interface SessionSettings {
  readonly model: string | undefined;
  readonly systemPrompt: string;
  readonly thinkingTokens: number | undefined;
}

export interface RunRequest {
  readonly requestId: string;
  readonly text: string;
  readonly images: readonly PromptImage[];
  readonly settings: SessionSettings;
  readonly timeoutMs: number;
}

/**
 * One prompt from the moment it is taken until it is answered. It ends once; what its turn says after that is nobody's.
 *
 * States: *waiting* until its turn begins, *running*, *over*.
 */
export class Run {
  readonly request: RunRequest;
  /** What stands for it where it is not to be held. */
  readonly key = Symbol('run');
  /** Aborts when it is over. */
  readonly signal: AbortSignal;
  readonly over: Promise<void>;
  /** The turn that answers it. */
  turnId: string | null = null;
  readonly #end = new AbortController();

  constructor(request: RunRequest) {
    this.request = request;
    this.signal = this.#end.signal;
    this.over = aborted(this.signal);
  }

  get isOver(): boolean {
    return this.signal.aborted;
  }

  end(): void {
    this.#end.abort();
  }
}
