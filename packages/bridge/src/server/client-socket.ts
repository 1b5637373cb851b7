import { Bell } from 'agent-relay-wire';
import { TurnCork, transportOf } from 'agent-relay-wire/node';
import type { WebSocket } from 'ws';

/** Bytes on their way to a client beyond which whoever writes waits, and nothing more is read from it. */
const highWaterBytes = 256 << 10;
/** Nobody who reads at all is so far behind. */
const maxWaitingBytes = 64 << 20;

/** One client's socket: counts what it has not taken, so that writers wait for it. Its faults end it and nothing else. */
export class ClientSocket {
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #drained = new Bell();
  readonly #cork: TurnCork;
  #waiting = 0;
  #isPaused = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#cork = new TurnCork(transportOf(socket));
    socket.on('error', () => {}); // its close follows
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#drained.ring();
        resolve();
      });
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  onMessage(listener: (text: string) => void): void {
    this.#socket.on('message', (data: Buffer | ArrayBuffer | Buffer[]) => listener(textOf(data)));
  }

  /** Hands a text frame over; await `room()` before more of what can wait. */
  send(text: string): void {
    if (!this.isOpen) return;
    const size = text.length;
    this.#waiting += size;
    this.#cork.begin();
    this.#socket.send(text, () => this.#sent(size));
    if (this.#waiting > maxWaitingBytes) this.#socket.terminate();
    else if (this.#waiting > highWaterBytes && !this.#isPaused) {
      this.#isPaused = true;
      this.#socket.pause();
    }
  }

  /** Resolves while the client takes what it is sent, or when it is gone. */
  async room(): Promise<void> {
    while (this.isOpen && this.#waiting > highWaterBytes) await this.#drained.next();
  }

  /** Says goodbye; a client that does not answer is cut off. */
  close(code: number, reason: string): void {
    this.#cork.end();
    this.#socket.close(code, reason);
    const timer = setTimeout(() => this.#socket.terminate(), 2_000);
    void this.closed.then(() => clearTimeout(timer));
  }

  #sent(size: number): void {
    this.#waiting -= size;
    if (this.#waiting > highWaterBytes / 2) return;
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    this.#drained.ring();
  }
}

function textOf(data: Buffer | ArrayBuffer | Buffer[]): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}
