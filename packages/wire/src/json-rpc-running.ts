import type { JsonRpcErrorObject } from './json-rpc-error.ts';
import { alreadySent } from './message-duplex.ts';

export type RpcId = string | number;

export interface RpcResponse {
  readonly jsonrpc?: '2.0';
  readonly id: RpcId | null;
  readonly result?: unknown;
  readonly error?: JsonRpcErrorObject;
}

/** One request of the peer from its arrival to its answer. */
export class RunningRequest {
  readonly id: RpcId;
  readonly method: string;
  readonly batch: ResponseBatch | undefined;
  #controller: AbortController | undefined;

  constructor(id: RpcId, method: string, batch: ResponseBatch | undefined) {
    this.id = id;
    this.method = method;
    this.batch = batch;
  }

  /** Made on first use: most handlers never look, and a controller costs more than the rest of a small request. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  get batchCharacters(): number {
    return this.batch?.characters ?? 0;
  }

  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

/** Collects the answers to a batch and sends them as one array once the last has come; sends nothing when none is due. */
export class ResponseBatch {
  readonly #send: (json: string) => Promise<void>;
  readonly #texts: string[] = [];
  #characters = 0;
  #expected = 0;
  #isSealed = false;

  constructor(send: (json: string) => Promise<void>) {
    this.#send = send;
  }

  /** How long the answers are that are here. */
  get characters(): number {
    return this.#characters;
  }

  expect(): void {
    this.#expected += 1;
  }

  /** One answer, as JSON text. */
  add(json: string): Promise<void> {
    this.#texts.push(json);
    this.#characters += json.length;
    return this.#flush();
  }

  /** Every message of the batch has been looked at: `expect` is not called any more. */
  seal(): void {
    this.#isSealed = true;
    void this.#flush();
  }

  #flush(): Promise<void> {
    if (!this.#isSealed || this.#expected === 0 || this.#texts.length < this.#expected) return alreadySent;
    return this.#send(`[${this.#texts.join(',')}]`);
  }
}
