import type { z } from 'zod';
import type { StartThreadParams } from './methods.ts';

export interface CodexRequestOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Runs before the request is sent again; what it returns is taken for the answer. */
  readonly beforeResend?: () => Promise<unknown>;
  /** Sent on the new connection before anybody else may use it. */
  readonly isPartOfReconnect?: boolean;
}

export interface ResendOptions<T> {
  readonly find?: () => Promise<T | undefined>;
  readonly signal?: AbortSignal | undefined;
}

/** The client, as one of its threads needs it. */
export interface CodexRequester {
  readonly isExperimental: boolean;
  /** Any method of the app-server. Waits for a reconnect, and resends after one what is safe to resend. */
  request(method: string, params: unknown, options?: CodexRequestOptions): Promise<unknown>;
  /** `request`, with the answer read by a schema. @throws RelayError `unsupported` when it does not fit. */
  ask<Schema extends z.ZodType>(schema: Schema, method: string, params: unknown, options?: CodexRequestOptions): Promise<z.output<Schema>>;
  /**
   * Sends again when the connection was lost before the answer; `find` may know that it had arrived. With `find` also when the server took too long to
   * answer: it is looked for once the server answers. Not once `signal` has aborted.
   */
  resendAfterReconnect<T>(send: () => Promise<T>, options?: ResendOptions<T>): Promise<T>;
  /** A thread with these settings in place of one that its server took with it; answers the new id. Part of a reconnect. */
  replaceThread(threadId: string, params: StartThreadParams): Promise<string>;
  /** Lets go of this thread here: its notifications end, and it is looked at no more. */
  forgetThread(threadId: string): void;
}
