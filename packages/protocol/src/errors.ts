/**
 * What a code means on every wire. `closeCode` is the WebSocket close code when the error ends a connection,
 * `rpcCode` the JSON-RPC error number, `retryable` whether the same request may succeed later unchanged.
 */
export interface ErrorMeaning {
  readonly httpStatus: number;
  readonly closeCode: number;
  readonly rpcCode: number;
  readonly retryable: boolean;
}

const meaning = (httpStatus: number, rpcCode: number, retryable = false): ErrorMeaning => ({
  httpStatus,
  closeCode: 4000 + httpStatus,
  rpcCode,
  retryable,
});

/** Every error Agent Relay can answer. A new one is one row here; all transports learn it from this table. */
export const errorTable = {
  parse_error: meaning(400, -32700),
  validation_failed: meaning(400, -32602),
  unauthorized: meaning(401, -32001),
  forbidden: meaning(403, -32003),
  forbidden_scope: meaning(403, -32003),
  forbidden_target: meaning(403, -32003),
  forbidden_origin: meaning(403, -32003),
  not_found: meaning(404, -32004),
  unknown_method: meaning(404, -32601),
  method_not_allowed: meaning(405, -32601),
  timeout: meaning(408, -32008, true),
  already_claimed: meaning(409, -32009),
  already_resolved: meaning(409, -32009),
  not_claimable: meaning(409, -32009),
  claim_closed: meaning(409, -32009),
  stale_fence: meaning(409, -32009),
  stale_session: meaning(409, -32009),
  inbox_taken: meaning(409, -32009, true),
  busy: meaning(409, -32009),
  agent_offline: meaning(409, -32009, true),
  pair_not_pending: meaning(409, -32009),
  pair_not_active: meaning(409, -32009),
  unbound_conversation: meaning(409, -32009),
  ambiguous_target: meaning(409, -32009),
  name_taken: meaning(409, -32009),
  idempotency_mismatch: meaning(409, -32009),
  message_held: meaning(409, -32009),
  gone: meaning(410, -32010),
  payload_too_large: meaning(413, -32013),
  unsupported_media_type: meaning(415, -32602),
  misdirected_host: meaning(421, -32003),
  unsupported: meaning(422, -32602),
  rate_limited: meaning(429, -32029, true),
  internal: meaning(500, -32603),
  provider_unavailable: meaning(503, -32053, true),
  node_unavailable: meaning(503, -32053, true),
  store_unavailable: meaning(503, -32053, true),
  store_full: meaning(507, -32053, true),
  connection_closed: meaning(503, -32000, true),
  overloaded: meaning(503, -32000, true),
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorTable;

/** Which input was wrong (`path`, e.g. `body` or `tags.2`) and why; `candidates` and the like ride in `details`. */
export interface FieldIssue {
  readonly path: string;
  readonly message: string;
}

/** The one body every failed request answers with: `{ error: ErrorBody }` over HTTP, `error.data` over JSON-RPC. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly issues?: readonly FieldIssue[];
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface RelayErrorOptions {
  readonly issues?: readonly FieldIssue[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

const brand = Symbol.for('agent-relay.error');

/** The one error class. Branch on `code`; `message` is for people. `instanceof` holds across bundled copies. */
export class RelayError extends Error {
  readonly code: ErrorCode;
  readonly issues?: readonly FieldIssue[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, options: RelayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RelayError';
    this.code = code;
    if (options.issues) this.issues = options.issues;
    if (options.details) this.details = options.details;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }

  get httpStatus(): number {
    return errorTable[this.code].httpStatus;
  }

  get closeCode(): number {
    return errorTable[this.code].closeCode;
  }

  get rpcCode(): number {
    return errorTable[this.code].rpcCode;
  }

  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.issues ? { issues: this.issues } : {}),
      ...(this.details ? { details: this.details } : {}),
    };
  }
}

export const isErrorCode = (value: unknown): value is ErrorCode => typeof value === 'string' && Object.hasOwn(errorTable, value);

/** Reads an error body as a server sent it; a code this version does not know becomes `fallback`, its text is kept, and itself in `details.unknownCode`. */
export function relayErrorFromBody(body: unknown, fallback: ErrorCode = 'internal'): RelayError {
  const record: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  const code = isErrorCode(record['code']) ? record['code'] : fallback;
  const text = typeof record['message'] === 'string' ? record['message'] : 'The server answered with an error it did not explain';
  const options: { issues?: readonly FieldIssue[]; details?: Readonly<Record<string, unknown>> } = {};
  if (Array.isArray(record['issues'])) options.issues = record['issues'].filter(isFieldIssue);
  if (typeof record['details'] === 'object' && record['details'] !== null) options.details = { ...record['details'] };
  if (typeof record['code'] === 'string' && record['code'] !== code) options.details = { ...options.details, unknownCode: record['code'] };
  return new RelayError(code, text, options);
}

function isFieldIssue(value: unknown): value is FieldIssue {
  return typeof value === 'object' && value !== null && 'path' in value && 'message' in value;
}

/** A bug's text stays in the log: whatever is not a RelayError leaves as `internal` with the original as `cause`. */
export function toRelayError(error: unknown): RelayError {
  return error instanceof RelayError ? error : new RelayError('internal', 'Something went wrong inside the relay', { cause: error });
}
