import { asText } from 'agent-relay-protocol';
import { backoffDelays, type LogFields } from 'agent-relay-wire';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

export interface RecoveryOptions {
  readonly clock: Pick<Clock, 'schedule'>;
  readonly log: Pick<Logger, 'error' | 'info'>;
  /** What the log says when it begins to fail, and when it is over; with `fields`. */
  readonly fault: string;
  readonly recovered: string;
  readonly fields?: LogFields;
  /** Tries again, and says how that went. */
  readonly again: () => void;
}

/**
 * Has what failed tried again by itself, each time later, half a minute apart at most. The log hears of it when it begins and when it is over,
 * however often it is tried between the two.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  #delays: ReturnType<typeof backoffDelays> | null = null;
  #cancel: (() => void) | null = null;
  #isClosed = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** A try has failed. */
  failed(error: unknown): void {
    if (this.#isClosed) return;
    const { clock, log, fault, fields, again } = this.#options;
    if (this.#delays === null) log.error(fault, { ...fields, error: asText(error) });
    this.#delays ??= backoffDelays({ initialMs: 500 });
    this.#cancel?.();
    this.#cancel = clock.schedule(() => {
      this.#cancel = null;
      again();
    }, this.#delays.next().value);
  }

  /** One went well. */
  succeeded(): void {
    if (this.#delays === null) return;
    const { log, recovered, fields } = this.#options;
    this.#delays = null;
    this.#cancel?.();
    this.#cancel = null;
    log.info(recovered, fields);
  }

  /** Tries nothing again. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
    this.#cancel = null;
  }
}
