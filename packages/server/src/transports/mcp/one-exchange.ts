import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';

/** An MCP transport that lives for one HTTP request: one message in, one answer out. What the server would say besides has no way to go. */
export class OneExchange implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  #answer: ((message: JSONRPCMessage) => void) | undefined;

  async start(): Promise<void> {}

  /** The answer to a request. Ends as `null` when the exchange is closed before there is one. */
  request(message: JSONRPCMessage): Promise<JSONRPCMessage | null> {
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.onclose = chain(this.onclose, () => resolve(null));
      this.onmessage?.(message);
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!('method' in message)) this.#answer?.(message);
  }

  async close(): Promise<void> {
    this.onclose?.();
  }
}

const chain = (first: (() => void) | undefined, second: () => void) => () => {
  first?.();
  second();
};
