import type { ErrorDetails } from './error-details.ts';
import { type ErrorCode, errorTable, isErrorCode } from './error-table.ts';

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

export interface RelayErrorOptions<Code extends ErrorCode = ErrorCode> {
  readonly issues?: readonly FieldIssue[];
  readonly details?: ErrorDetails<Code>;
  readonly cause?: unknown;
}

const brand = Symbol.for('agent-relay.error');

/**
 * The one error class. Branch on `code`; `message` is for people, `detailsOf` reads what a code carries. `instanceof` holds across bundled copies.
 */
export class RelayError<Code extends ErrorCode = ErrorCode> extends Error {
  readonly code: ErrorCode;
  readonly issues?: readonly FieldIssue[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly [brand] = true;

  constructor(code: Code, message: string, options: RelayErrorOptions<Code> = {}) {
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

/** Reads an error body as a server sent it; a code this version does not know becomes `fallback`, its text is kept, and itself in `details.unknownCode`. */
export function relayErrorFromBody(body: unknown, fallback: ErrorCode = 'internal'): RelayError {
  const record: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
  const code = isErrorCode(record['code']) ? record['code'] : fallback;
  const text = typeof record['message'] === 'string' ? record['message'] : 'The server answered with an error it did not explain';
  const options: { issues?: readonly FieldIssue[]; details?: Readonly<Record<string, unknown>> } = {};
  if (Array.isArray(record['issues'])) options.issues = record['issues'].filter(isFieldIssue);
  if (typeof record['details'] === 'object' && record['details'] !== null) options.details = { ...record['details'] };
  if (typeof record['code'] === 'string' && record['code'] !== code) options.details = { ...options.details, unknownCode: record['code'] };
  // As the other side said them; whoever reads one reads it by its schema.
  return new RelayError(code, text, options as RelayErrorOptions);
}

function isFieldIssue(value: unknown): value is FieldIssue {
  return typeof value === 'object' && value !== null && 'path' in value && 'message' in value;
}

/** A bug's text stays in the log: whatever is not a RelayError leaves as `internal` with the original as `cause`. */
export function toRelayError(error: unknown): RelayError {
  return error instanceof RelayError ? error : new RelayError('internal', 'Something went wrong inside the relay', { cause: error });
}
