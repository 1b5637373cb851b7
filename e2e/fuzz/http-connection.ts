import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  /** As it came, lower-case names are not promised. */
  readonly head: string;
  readonly text: string;
  /** It had no length: only its beginning was read. */
  readonly isStream: boolean;
}

/** What became of a request: an answer, or the connection ended without one, or nothing came within the time. */
export type Outcome = HttpAnswer | 'closed' | 'silent';

/**
 * One kept-alive connection that sends exactly the bytes it is given, which no HTTP client would. One request at a time; it connects again
 * by itself.
 */
export class HttpConnection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  #isOpen = false;

  constructor(port: number) {
    this.#port = port;
  }

  async exchange(bytes: Buffer, { method, withinMs }: { readonly method: string; readonly withinMs: number }): Promise<Outcome> {
    const socket = await this.#connected();
    this.#received = Buffer.alloc(0);
    socket.write(bytes);
    const deadline = performance.now() + withinMs;
    for (;;) {
      const answer = readAnswer(this.#received, method);
      if (answer) {
        if (answer.isStream || /^connection: close\r?$/imu.test(answer.head)) this.close();
        return answer;
      }
      if (!this.#isOpen) return 'closed';
      const left = deadline - performance.now();
      if (left <= 0) {
        this.close();
        return 'silent';
      }
      await this.#somethingHappens(left);
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #connected(): Promise<Socket> {
    if (this.#socket && this.#isOpen) return this.#socket;
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    this.#isOpen = true;
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    socket.on('error', () => {}); // always followed by `close`
    socket.on('close', () => {
      if (this.#socket === socket) this.#isOpen = false;
      this.#wake?.();
    });
    return socket;
  }

  #somethingHappens(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function readAnswer(received: Buffer, method: string): HttpAnswer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = received.toString('latin1', 0, end);
  const status = Number(/^HTTP\/1\.1 (\d{3})/u.exec(head)?.[1] ?? 0);
  if (status === 100) return readAnswer(received.subarray(end + 4), method);
  if (method === 'HEAD' || status === 204 || status === 304) return { status, head, text: '', isStream: false };
  const length = /^content-length: (\d+)\r?$/imu.exec(head)?.[1];
  const body = received.subarray(end + 4);
  if (length === undefined)
    return body.length === 0 && status === 200 ? undefined : { status, head, text: body.toString(), isStream: true };
  return body.length < Number(length) ? undefined : { status, head, text: body.toString('utf8', 0, Number(length)), isStream: false };
}
