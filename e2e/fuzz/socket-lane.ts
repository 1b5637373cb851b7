import { WebSocket } from 'ws';
import type { Random } from '../crash/seeded.ts';
import { type Credentials, callerHeaders } from './callers.ts';
import type { LaneOptions } from './http-lane.ts';
import { parsed, rpcFaults, shapeFaults } from './judge.ts';
import { below, pick } from './random.ts';
import { jsonText, spoilInput } from './spoil.ts';
import { Chooser, type SocketTarget } from './targets.ts';

/** Long enough for what is answered at once, and the end of our patience with what waits. */
const LEAVES_AFTER_MS = 150;
const HANGS_AFTER_MS = 60_000;
/** A socket is used for so many frames, so that subscriptions come and go and credentials change. */
const FRAMES_OF_A_SOCKET = 400;
const waitsByIntent = /wait(?:Ms|For)|timeoutMs|sessions\/start|agents\/(?:interrupt|release|remove)/iu;
const makesTokens = /^(?:agents\/register|tokens\/create|login\/create|sessions\/(?:start|invite))$/u;

/** One socket after the other, each asked for everything that a socket offers, in frames that are right, nearly right and no JSON at all. */
export class SocketLane {
  readonly #options: LaneOptions;
  readonly #chooser: Chooser<SocketTarget>;
  #socket: WebSocket | undefined;
  #answers = new Map<unknown, (text: string) => void>();

  constructor(targets: readonly SocketTarget[], options: LaneOptions) {
    this.#options = options;
    this.#chooser = new Chooser(targets, options.random);
  }

  async run(frames: number): Promise<void> {
    for (let count = 0; count < frames && this.#options.findings.isOpen; count += 1) {
      if (count % FRAMES_OF_A_SOCKET === 0) this.#socket?.terminate();
      await this.#send(count);
    }
    this.#socket?.terminate();
  }

  async #send(count: number): Promise<void> {
    const { random } = this.#options;
    const { item: target, input } = this.#chooser.next();
    const [noun = ''] = target.name.split('/');
    const filled = this.#options.memory.fill(input, this.#options.memory.thingFor(noun, ['id'], random), random);
    const roll = random();
    const socket = await this.#connected();
    if (roll < 0.12) return this.#sendGarbage(socket, count, target.name, filled);
    const params = roll < 0.6 ? filled : spoilInput(filled, random);
    const text = `{"jsonrpc":"2.0","id":${count},"method":"${target.name}","params":${jsonText(params)}}`;
    const isPatient = waitsByIntent.test(text.slice(0, 5_000));
    const answer = await this.#ask(socket, count, text, isPatient ? LEAVES_AFTER_MS : HANGS_AFTER_MS);
    this.#judge({ target, count, text, isPatient, noun }, answer);
  }

  #judge(
    asked: { target: SocketTarget; count: number; text: string; isPatient: boolean; noun: string },
    answer: string | 'closed' | null,
  ): void {
    const { findings, secrets } = this.#options;
    const { target, count, text, isPatient, noun } = asked;
    findings.count(answer === null ? 'silent' : answer === 'closed' ? 'closed' : 'frame');
    const report = (fault: string) =>
      findings.report({
        fault,
        target: `socket ${target.name}`,
        lane: this.#options.name,
        count,
        sent: Buffer.from(text),
        answer: answer ?? '',
      });
    if (answer === null && !isPatient) report('no answer');
    if (answer === null || answer === 'closed') return;
    const message = Object(parsed(answer)) as Record<string, unknown>; // a frame of the relay; judged field by field
    for (const fault of rpcFaults(answer, message, secrets, makesTokens.test(target.name))) report(fault);
    if (message['result'] === undefined || answer.length > 20_000) return;
    if (target.result) for (const fault of shapeFaults(target.result, message['result'])) report(fault);
    findings.succeeded(`socket ${target.name}`);
    this.#options.memory.learn(noun, message['result']);
  }

  /** Nothing is expected of it but that the relay goes on; it may close the socket. */
  #sendGarbage(socket: WebSocket, count: number, method: string, params: unknown): void {
    const { random, findings } = this.#options;
    findings.count('garbage frame');
    const text = jsonText({ jsonrpc: '2.0', id: `g${count}`, method, params });
    const frames: readonly (() => string | Buffer)[] = [
      () => text.slice(0, below(random, text.length)),
      () => Buffer.from(text),
      () => Buffer.from([below(random, 256), below(random, 256), 0xff]),
      () => '',
      () =>
        pick(random, [
          'null',
          '[]',
          '1',
          '"x"',
          '[[]]',
          '{}',
          '{"jsonrpc":"2.0"}',
          '{"jsonrpc":"1.0","id":1,"method":"system/me"}',
          '[1,2,3]',
        ]),
      () => `[${Array.from({ length: below(random, 12) }, () => text).join(',')}]`,
      () => `{"jsonrpc":"2.0","id":${pick(random, ['null', '1.5', '{}', '[]', '-1', '1e400', '"\\u0000"'])},"method":"system/me"}`,
      () => `{"jsonrpc":"2.0","id":${count},"result":{}}`,
      () => `{"jsonrpc":"2.0","id":${count},"error":{"code":"x"}}`,
      () =>
        `{"jsonrpc":"2.0","method":"${pick(random, ['activity/live', '$/cancel', 'rpc.cancel', '__proto__', 'constructor', 'system/me'])}","params":${jsonText(params)}}`,
      () => `{"jsonrpc":"2.0","id":1,"method":${pick(random, ['"__proto__"', '"toString"', '{}', '""', `"${'m'.repeat(5_000)}"`])}}`,
      () => `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
      () => (random() < 0.02 ? 'x'.repeat(1_048_577) : '\ufeff{}'),
    ];
    socket.send(pick(random, frames)());
  }

  #ask(socket: WebSocket, id: number, text: string, withinMs: number): Promise<string | 'closed' | null> {
    return new Promise((resolve) => {
      const done = (answer: string | 'closed' | null) => {
        clearTimeout(timer);
        socket.off('close', closed);
        this.#answers.delete(id);
        resolve(answer);
      };
      const closed = () => done('closed');
      const timer = setTimeout(() => done(null), withinMs);
      socket.once('close', closed);
      this.#answers.set(id, done);
      socket.send(text);
    });
  }

  async #connected(): Promise<WebSocket> {
    if (this.#socket?.readyState === WebSocket.OPEN) return this.#socket;
    const { port, credentials, random, findings } = this.#options;
    while (findings.isOpen) {
      const headers = Object.fromEntries(this.#callerHeaders(credentials, random));
      const socket = await opened(new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers }));
      if (!socket) continue;
      socket.on('message', (data) => this.#receive(String(data)));
      this.#socket = socket;
      return socket;
    }
    throw new Error('the relay has gone');
  }

  /** Whoever cannot come in at all is the HTTP lanes' business. */
  #callerHeaders(credentials: Credentials, random: Random) {
    return callerHeaders(credentials, this.#options.memory, random);
  }

  #receive(text: string): void {
    const id = Reflect.get(Object(parsed(text)), 'id');
    this.#answers.get(id)?.(text);
  }
}

const opened = (socket: WebSocket): Promise<WebSocket | undefined> =>
  new Promise((resolve) => {
    socket.once('open', () => resolve(socket));
    socket.on('error', () => resolve(undefined));
  });
