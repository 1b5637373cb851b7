import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from 'agent-relay-protocol';
import type { RequestOrigin } from '../request-guard.ts';

/** One request on its way, as an endpoint outside the route table gets it. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** As sent, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly origin: RequestOrigin;
  /** @throws RelayError `unauthorized`. */
  authenticate(): Promise<Principal>;
}

/** What is served beside the routes. It answers the exchange itself; what it throws before its first byte is answered for it. */
export interface Endpoint {
  readonly methods: readonly string[];
  serve(exchange: Exchange): Promise<void>;
}
