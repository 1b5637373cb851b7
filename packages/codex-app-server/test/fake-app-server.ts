import type { AddressInfo } from 'node:net';
import { JsonRpcError, JsonRpcPeer, type RequestOptions } from 'agent-relay-wire';
import { webSocketDuplex } from 'agent-relay-wire/node';
import { type WebSocket, WebSocketServer } from 'ws';
import type { CodexEndpoint } from '../src/app-server/endpoint.ts';
import { readFixture } from './read-fixture.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly params: Record<string, unknown>;
}

type Answer = (params: Record<string, unknown>) => unknown;

/**
 * An app-server on a real socket that plays what was recorded of a real one, for the faults that a real one cannot be made to have.
 * What a test does not answer itself is answered as Codex 0.169 does.
 */
export class FakeAppServer implements AsyncDisposable {
  readonly received: ReceivedRequest[] = [];
  readonly threadId = '01a1fd7c-0000-7000-8000-000000000001';
  #server: WebSocketServer;
  #peers: { readonly socket: WebSocket; readonly peer: JsonRpcPeer }[] = [];
  readonly #answers: Map<string, Answer>;

  static async start(answers: Record<string, Answer> = {}): Promise<FakeAppServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => server.once('listening', resolve));
    return new FakeAppServer(server, answers);
  }

  private constructor(server: WebSocketServer, answers: Record<string, Answer>) {
    this.#server = server;
    this.#answers = new Map(Object.entries({ ...this.#recorded(), ...answers }));
    this.#listen();
  }

  get endpoint(): CodexEndpoint {
    return { transport: 'websocket', url: `ws://127.0.0.1:${this.#port}/` };
  }

  get connections(): number {
    return this.#peers.length;
  }

  methods(): readonly string[] {
    return this.received.map(({ method }) => method);
  }

  /** From now on this method is answered so. */
  answer(method: string, answer: Answer): void {
    this.#answers.set(method, answer);
  }

  notify(method: string, params: object): void {
    void this.#newest().notify(method, params);
  }

  /** Sends a frame as it is, whatever it is. */
  sendRaw(text: string): void {
    this.#peers.at(-1)?.socket.send(text);
  }

  request(method: string, params: object, options?: RequestOptions): Promise<unknown> {
    return this.#newest().request(method, params, options);
  }

  /** Plays a recorded turn in this fake's thread. */
  play(fixture: string, { from = 0, to }: { from?: number; to?: number } = {}): void {
    for (const { method, params } of readFixture(fixture).slice(from, to)) {
      this.notify(method, { ...(typeof params === 'object' ? params : {}), threadId: this.threadId });
    }
  }

  /** Cuts every connection without a word. */
  disconnect(): void {
    for (const { socket } of this.#peers.splice(0)) socket.terminate();
  }

  /** Refuses connections until `comeBack`. */
  async goAway(): Promise<void> {
    const port = this.#port;
    this.disconnect();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#lastPort = port;
  }

  async comeBack(): Promise<void> {
    this.#server = new WebSocketServer({ host: '127.0.0.1', port: this.#lastPort });
    await new Promise((resolve) => this.#server.once('listening', resolve));
    this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #lastPort = 0;

  get #port(): number {
    // A listening TCP server has such an address.
    return (this.#server.address() as AddressInfo).port;
  }

  #newest(): JsonRpcPeer {
    const newest = this.#peers.at(-1);
    if (!newest) throw new Error('nobody is connected to the fake app-server');
    return newest.peer;
  }

  #listen(): void {
    this.#server.on('connection', (socket) => {
      const peer = new JsonRpcPeer(webSocketDuplex(socket), {
        omitVersion: true,
        answerInvalid: false,
        onRequest: (method, params) => {
          const request = { method, params: { ...(typeof params === 'object' ? params : {}) } };
          this.received.push(request);
          const answer = this.#answers.get(method);
          if (!answer) throw new JsonRpcError({ code: -32600, message: `Invalid request: unknown variant \`${method}\`` });
          return answer(request.params);
        },
      });
      this.#peers.push({ socket, peer });
    });
  }

  #recorded(): Record<string, Answer> {
    const page = () => ({ data: [], nextCursor: null });
    const thread = () => ({ thread: { id: this.threadId, status: { type: 'idle' } }, model: 'gpt-5.5', cwd: '/home/user/project' });
    return {
      initialize: () => ({ userAgent: 'test/0.169.0 (Linux)', codexHome: '/home/user/.codex' }),
      'thread/start': thread,
      'thread/resume': thread,
      'thread/turns/list': page,
      'thread/items/list': page,
      'thread/queue/list': page,
      'turn/start': () => ({ turn: { id: '01a1fd7c-0000-7000-8000-00000000000a', status: 'inProgress', items: [] } }),
    };
  }
}

export const overloaded = () => new JsonRpcError({ code: -32001, message: 'Server overloaded; retry later.' });
