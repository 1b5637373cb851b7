import { randomUUID } from 'node:crypto';
import { asText, RelayError } from 'agent-relay-protocol';
import type { ControlResponseFrame } from './frames.ts';

/** What Claude answered to a control request. Also a refusal may carry permission requests that are still open. */
export interface ControlAnswer {
  readonly isSuccess: boolean;
  readonly response: Readonly<Record<string, unknown>>;
  readonly error: string | null;
  readonly pendingPermissionRequests: readonly unknown[];
}

interface Waiting {
  readonly subtype: string;
  readonly resolve: (answer: ControlAnswer) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Control requests of ours that wait for Claude's answer. */
export class ControlRequests {
  readonly #waiting = new Map<string, Waiting>();
  readonly #timeoutMs: number;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  add(subtype: string, timeoutMs = this.#timeoutMs): { readonly requestId: string; readonly answer: Promise<ControlAnswer> } {
    const requestId = randomUUID();
    const answer = new Promise<ControlAnswer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(requestId);
        reject(new RelayError('timeout', `Claude Code did not answer ${subtype} in time`, { details: { timeoutMs } }));
      }, timeoutMs);
      this.#waiting.set(requestId, { subtype, resolve, reject, timer });
    });
    answer.catch(() => {});
    return { requestId, answer };
  }

  /** False when nobody waits for it: with `--replay-user-messages` the CLI repeats our own answers. */
  settle({ response }: ControlResponseFrame): boolean {
    const waiting = this.#take(response.request_id);
    if (!waiting) return false;
    const body = response.response;
    waiting.resolve({
      isSuccess: response.subtype === 'success',
      response: typeof body === 'object' && body !== null ? { ...body } : {},
      error: response.subtype === 'success' ? null : asText(response.error ?? 'refused'),
      pendingPermissionRequests: response.pending_permission_requests ?? pendingIn(body),
    });
    return true;
  }

  rejectAll(error: unknown): void {
    for (const requestId of [...this.#waiting.keys()]) this.#take(requestId)?.reject(error);
  }

  #take(requestId: string): Waiting | undefined {
    const waiting = this.#waiting.get(requestId);
    if (!waiting) return undefined;
    this.#waiting.delete(requestId);
    clearTimeout(waiting.timer);
    return waiting;
  }
}

function pendingIn(body: unknown): readonly unknown[] {
  if (typeof body !== 'object' || body === null || !('pending_permission_requests' in body)) return [];
  return Array.isArray(body.pending_permission_requests) ? body.pending_permission_requests : [];
}
