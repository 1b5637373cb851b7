import { RelayError } from 'agent-relay-protocol';
import type { RpcId } from './json-rpc-running.ts';

export interface RequestOptions {
  /** Rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Rejects with `timeout`. */
  readonly timeoutMs?: number;
}

interface PendingRequest {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
  signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
}

/** Requests of ours that wait for an answer. Whatever settles one takes it out, with its timer and its abort listener. */
export class PendingRequests {
  readonly #byId = new Map<RpcId, PendingRequest>();
  readonly #onAbandoned: ((id: RpcId, method: string) => void) | undefined;

  constructor(onAbandoned: ((id: RpcId, method: string) => void) | undefined) {
    this.#onAbandoned = onAbandoned;
  }

  get size(): number {
    return this.#byId.size;
  }

  /** The signal must not have aborted already: look before you listen. */
  add(id: RpcId, method: string, signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const pending: PendingRequest = { method, resolve, reject, timer: undefined, signal: undefined, onAbort: undefined };
      this.#byId.set(id, pending);
      if (timeoutMs !== undefined) {
        const details = { timeoutMs };
        pending.timer = setTimeout(
          () => this.#abandon(id, new RelayError('timeout', `${method} was not answered in time`, { details })),
          timeoutMs,
        );
      }
      if (signal) {
        pending.signal = signal;
        pending.onAbort = () => this.#abandon(id, signal.reason);
        signal.addEventListener('abort', pending.onAbort, { once: true });
      }
    });
  }

  take(id: RpcId): Pick<PendingRequest, 'resolve' | 'reject'> | undefined {
    return this.#take(id);
  }

  rejectAll(error: unknown): void {
    for (const id of [...this.#byId.keys()]) this.#take(id)?.reject(error);
  }

  #abandon(id: RpcId, reason: unknown): void {
    const pending = this.#take(id);
    if (!pending) return;
    pending.reject(reason);
    this.#onAbandoned?.(id, pending.method);
  }

  #take(id: RpcId): PendingRequest | undefined {
    const pending = this.#byId.get(id);
    if (!pending) return undefined;
    this.#byId.delete(id);
    if (pending.timer !== undefined) clearTimeout(pending.timer);
    if (pending.onAbort) pending.signal?.removeEventListener('abort', pending.onAbort);
    return pending;
  }
}
