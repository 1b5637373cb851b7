import { RelayError } from 'agent-relay-protocol';
import { JsonRpcError } from 'agent-relay-wire';

/** The server-wide queue of 128 waiting requests is full; it has nothing to do with the model. */
export const isOverloaded = (error: unknown): boolean => error instanceof JsonRpcError && error.rpcCode === -32001;

/** Codex answers nearly everything with -32600, so only its words tell these apart (0.169). */
export const isUnsupported = (error: unknown): boolean =>
  error instanceof JsonRpcError && /requires experimentalApi|unknown variant|unknown method/iu.test(error.message);

export const isThreadUnknown = (error: unknown): boolean =>
  error instanceof JsonRpcError && /thread not found|not loaded/iu.test(error.message);

export const isConnectionLost = (error: unknown): boolean => error instanceof RelayError && error.code === 'connection_closed';

/** A frame that does not look as expected is the vendor's news, not a bug of ours. */
export const unexpectedAnswer = (method: string, cause: unknown): RelayError =>
  new RelayError('unsupported', `Codex answered ${method} in a way this version does not know`, { cause });
