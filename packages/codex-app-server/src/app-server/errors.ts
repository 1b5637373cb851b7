import { RelayError } from 'agent-relay-protocol';
import { JsonRpcError } from 'agent-relay-wire';
import type { z } from 'zod';

/** The server-wide queue of 128 waiting requests is full; it has nothing to do with the model. */
export const isOverloaded = (error: unknown): boolean => error instanceof JsonRpcError && error.rpcCode === -32001;

/** A thread's queue takes no more (0.169: `queue cannot contain more than 100 submissions`). */
export const isQueueFull = (error: unknown): boolean => error instanceof JsonRpcError && /queue cannot contain more/iu.test(error.message);

/** What Codex has no room for now, and takes later. */
export const isRefusedForNow = (error: unknown): boolean => isOverloaded(error) || isQueueFull(error);

/** Codex answers nearly everything with -32600, so only its words tell these apart (0.169). */
export const isUnsupported = (error: unknown): boolean =>
  error instanceof JsonRpcError && /requires experimentalApi|unknown variant|unknown method/iu.test(error.message);

export const isThreadUnknown = (error: unknown): boolean =>
  error instanceof JsonRpcError && /thread not found|not loaded/iu.test(error.message);

/** Another server writes this thread (0.169: `already has an active writer`), or this client has it open. */
export const isThreadInUse = (error: unknown): boolean =>
  (error instanceof JsonRpcError && /active writer/iu.test(error.message)) || (error instanceof RelayError && error.code === 'name_taken');

/** No thread of this id was ever stored, or it is no id (0.169: `no rollout found`, `invalid session id`). */
export const isThreadMissing = (error: unknown): boolean =>
  error instanceof JsonRpcError && /no rollout found|invalid (?:session|thread) id/iu.test(error.message);

/** Codex knows of no such running turn (0.169: `no active turn to interrupt`, ``expected active turn id `A` but found `B` ``). */
export const isTurnUnknown = (error: unknown): boolean =>
  isThreadUnknown(error) ||
  (error instanceof JsonRpcError && /no (?:such )?active turn|expected active turn id|turn not found/iu.test(error.message));

/** Nothing says whether what was asked has happened, or still will. */
export const isUnanswered = (error: unknown): boolean => error instanceof RelayError && error.code === 'timeout';

export const isConnectionLost = (error: unknown): boolean => error instanceof RelayError && error.code === 'connection_closed';

/**
 * Reads the answer to a request.
 * @throws RelayError `unsupported` for one that does not look as expected: that is the vendor's news, not a bug of ours.
 */
export function parseAnswer<Schema extends z.ZodType>(schema: Schema, method: string, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new RelayError('unsupported', `Codex answered ${method} in a way this version does not know`, { cause: parsed.error });
}
