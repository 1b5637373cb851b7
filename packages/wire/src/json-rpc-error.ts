import { type ErrorCode, isErrorCode, RelayError, relayErrorFromBody } from 'agent-relay-protocol';

/** The error object of JSON-RPC 2.0, section 5.1. */
export interface JsonRpcErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

const brand = Symbol.for('agent-relay.json-rpc-error');

const codeByNumber: Readonly<Record<number, ErrorCode>> = {
  [-32700]: 'parse_error',
  [-32600]: 'validation_failed',
  [-32602]: 'validation_failed',
  [-32601]: 'unknown_method',
};

/** An error as a peer that is not ours sent it: `rpcCode`, `message` and `data` are the peer's own and pass through unchanged. */
export class JsonRpcError extends RelayError {
  readonly #rpcCode: number;
  readonly data: unknown;
  readonly [brand] = true;

  constructor(error: JsonRpcErrorObject) {
    super(codeByNumber[error.code] ?? 'internal', error.message);
    this.name = 'JsonRpcError';
    this.#rpcCode = error.code;
    this.data = error.data;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value;
  }

  override get rpcCode(): number {
    return this.#rpcCode;
  }
}

/** Ours come back as the `RelayError` they left as; a vendor's as `JsonRpcError`. */
export function errorFromRpc(error: unknown): RelayError {
  const record: { code?: unknown; message?: unknown; data?: unknown } = typeof error === 'object' && error !== null ? error : {};
  const data = record.data;
  if (typeof data === 'object' && data !== null && 'code' in data && isErrorCode(data.code)) return relayErrorFromBody(data);
  return new JsonRpcError({
    code: typeof record.code === 'number' ? record.code : -32603,
    message: typeof record.message === 'string' ? record.message : 'The peer answered with an error it did not explain',
    ...(data === undefined ? {} : { data }),
  });
}

export function errorToRpc(error: RelayError): JsonRpcErrorObject {
  if (!(error instanceof JsonRpcError)) return { code: error.rpcCode, message: error.message, data: error.toBody() };
  return { code: error.rpcCode, message: error.message, ...(error.data === undefined ? {} : { data: error.data }) };
}
