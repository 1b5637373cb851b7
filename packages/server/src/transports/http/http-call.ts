import type { ServerResponse } from 'node:http';
import { type Principal, RelayError } from 'agent-relay-protocol';
import type { CallContext } from '../../relay/contract/relay-contract.ts';
import type { Draining } from '../draining.ts';

/** One request as the relay sees it; its signal aborts when the client has gone or the relay stops. */
export class HttpCall implements CallContext {
  readonly principal: Principal;
  readonly #response: ServerResponse;
  readonly #draining: Draining;
  #controller: AbortController | undefined;

  constructor(principal: Principal, response: ServerResponse, draining: Draining) {
    this.principal = principal;
    this.#response = response;
    this.#draining = draining;
  }

  /** Made on first use: most handlers never look. */
  get signal(): AbortSignal {
    this.#controller ??= this.#watch(new AbortController());
    return this.#controller.signal;
  }

  #watch(controller: AbortController): AbortController {
    const response = this.#response;
    const gone = () => controller.abort(new RelayError('connection_closed', 'The client has gone'));
    const forget = this.#draining.onDrain(() => controller.abort(new RelayError('connection_closed', 'The relay is stopping')));
    if (response.destroyed) gone();
    response.once('close', () => {
      forget();
      if (!response.writableFinished) gone();
    });
    return controller;
  }
}
