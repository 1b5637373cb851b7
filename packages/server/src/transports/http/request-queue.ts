import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FairTurns, ReadLine } from '../fair-turns.ts';

/** So many requests a client may have sent ahead of their answers before its connection is read no more. */
const MAX_WAITING = 16;

/**
 * The requests of one connection: each begins when the answer to the one before has left, in which order the answers go out anyway. What a
 * client sends ahead of them costs it its own time and nobody else's.
 */
export class RequestQueue {
  readonly line: ReadLine;
  readonly #socket: Socket;
  readonly #waiting: { readonly response: ServerResponse; readonly serve: () => void }[] = [];
  #isBusy = false;
  #isHeldBack = false;

  constructor(socket: Socket, turns: FairTurns) {
    this.#socket = socket;
    this.line = turns.openLine();
  }

  add(response: ServerResponse, serve: () => void): void {
    this.#waiting.push({ response, serve });
    if (this.#waiting.length >= MAX_WAITING) this.#holdBack();
    if (!this.#isBusy) this.#next();
  }

  #next(): void {
    let next = this.#waiting.shift();
    // Of a connection that has ended none is served. One after another: there may be more of them than calls fit on the stack.
    while (next?.response.destroyed) next = this.#waiting.shift();
    this.#isBusy = next !== undefined;
    if (this.#isHeldBack && this.#waiting.length < MAX_WAITING) this.#goOn();
    if (!next) return;
    next.response.once('close', () => this.#next());
    next.serve();
  }

  /** What had been read by then still comes: some thousand requests, where they are as small as can be. */
  #holdBack(): void {
    if (this.#isHeldBack) return;
    this.#isHeldBack = true;
    this.#socket.pause();
    // Node's HTTP server resumes the connection whenever somebody reads a request, or an answer has left.
    this.#socket.resume = () => this.#socket;
  }

  #goOn(): void {
    this.#isHeldBack = false;
    Reflect.deleteProperty(this.#socket, 'resume');
    this.#socket.resume();
  }
}

/** The queue of each connection, for as long as it is open. */
export class RequestQueues {
  readonly #turns: FairTurns;
  readonly #bySocket = new WeakMap<Socket, RequestQueue>();

  constructor(turns: FairTurns) {
    this.#turns = turns;
  }

  of({ socket }: IncomingMessage): RequestQueue {
    let queue = this.#bySocket.get(socket);
    if (!queue) {
      queue = new RequestQueue(socket, this.#turns);
      this.#bySocket.set(socket, queue);
    }
    return queue;
  }
}

/** The work in its turn. Resolves and rejects as it does. */
export function inLine(line: ReadLine, work: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => line.add(() => work().then(resolve, reject)));
}
