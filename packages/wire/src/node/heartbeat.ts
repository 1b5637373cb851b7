import type { WebSocket } from 'ws';

/** Pings, and reports a peer that let a whole interval pass in silence. Stops by itself never: its owner calls `stop`. */
export class Heartbeat {
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #isAlive = true;

  constructor(socket: WebSocket, intervalMs: number, onDead: () => void) {
    if (intervalMs <= 0) return;
    socket.on('pong', () => this.beat());
    socket.on('ping', () => this.beat());
    this.#timer = setInterval(() => {
      // While we do not read, no pong can reach us: silence is then our own doing.
      if (!this.#isAlive && !socket.isPaused) return onDead();
      this.#isAlive = false;
      if (socket.readyState === socket.OPEN) socket.ping();
    }, intervalMs);
  }

  beat(): void {
    this.#isAlive = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
