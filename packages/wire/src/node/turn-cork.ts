import type { Socket } from 'node:net';

/** Holds back a socket's writes until the end of the event-loop turn, so that all frames of one turn leave in one system call. */
export class TurnCork {
  readonly #socket: Pick<Socket, 'cork' | 'uncork'> | undefined;
  #flush: NodeJS.Immediate | undefined;

  constructor(socket: Pick<Socket, 'cork' | 'uncork'> | undefined) {
    this.#socket = socket;
  }

  /** Call before each write. `setImmediate`, not a microtask: it runs after all sockets that became readable in this turn. */
  begin(): void {
    if (this.#flush || !this.#socket) return;
    this.#socket.cork();
    this.#flush = setImmediate(this.#onTurnEnd);
  }

  end(): void {
    if (!this.#flush) return;
    clearImmediate(this.#flush);
    this.#onTurnEnd();
  }

  readonly #onTurnEnd = (): void => {
    this.#flush = undefined;
    this.#socket?.uncork();
  };
}
