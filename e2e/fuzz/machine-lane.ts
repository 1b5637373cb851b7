import { nodeCommands, nodeMethods, nodeNotifications, PROTOCOL_VERSION, RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import type { LaneOptions } from './http-lane.ts';
import { pick } from './random.ts';
import { spoilInput } from './spoil.ts';
import { Chooser, Inputs } from './targets.ts';

const answers = Object.fromEntries(Object.entries(nodeCommands).map(([name, { result }]) => [name, new Inputs(result)]));
const reports = [
  ...Object.entries(nodeMethods).map(([name, { params }]) => ({ name, inputs: new Inputs(params), isCall: true })),
  ...Object.entries(nodeNotifications).map(([name, { params }]) => ({ name, inputs: new Inputs(params), isCall: false })),
];

/** A machine that lends itself to the relay, starts what it is asked for in no time, and reports whatever comes to its mind. */
export class MachineLane {
  readonly #options: LaneOptions;
  readonly #chooser: Chooser<(typeof reports)[number]>;
  #peer: JsonRpcPeer | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#chooser = new Chooser(reports, options.random);
  }

  async run(frames: number): Promise<void> {
    for (let count = 0; count < frames && this.#options.findings.isOpen; count += 1) await this.#report(count);
    await this.#peer?.close();
  }

  async #report(count: number): Promise<void> {
    const { random, findings, name: lane } = this.#options;
    const peer = await this.#connected();
    const { item, input } = this.#chooser.next();
    const filled = this.#options.memory.fill(input, this.#options.memory.thingFor('', ['sessionId'], random), random);
    const params = random() < 0.7 ? filled : spoilInput(filled, random);
    findings.count('machine');
    if (!item.isCall) return void peer.notify(item.name, JSON.parse(JSON.stringify(params))).catch(() => {});
    try {
      this.#options.memory.learn('sessions', await peer.request(item.name, JSON.parse(JSON.stringify(params)), { timeoutMs: 60_000 }));
      findings.succeeded(`machine ${item.name}`);
    } catch (error) {
      const code = error instanceof RelayError ? error.code : String(error);
      const isFault = !(error instanceof RelayError) || ['internal', 'timeout', 'store_unavailable'].includes(code);
      const sent = Buffer.from(JSON.stringify(params) ?? '');
      if (isFault) findings.report({ fault: `error ${code}`, target: `machine ${item.name}`, lane, count, sent, answer: String(error) });
    }
  }

  async #connected(): Promise<JsonRpcPeer> {
    if (this.#peer) return this.#peer;
    const { port, credentials } = this.#options;
    const duplex = await connectWebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { authorization: `Bearer ${credentials.owner}` } });
    const peer = new JsonRpcPeer(duplex, { onRequest: (method, params) => this.#obey(method, params) });
    const providers = ['claude', 'codex', 'fuzz'].map((id) => ({ id, available: true, version: '1', reason: null }));
    await peer.request('nodes/attach', { name: 'fuzz', version: '1', protocol: PROTOCOL_VERSION, providers, sessions: [] });
    this.#peer = peer;
    void peer.closed.then(() => {
      this.#peer = undefined;
    });
    return peer;
  }

  #obey(method: string, params: unknown): unknown {
    const { random } = this.#options;
    this.#options.memory.learn('sessions', params);
    const roll = random();
    if (roll < 0.15) throw new RelayError(pick(random, ['provider_unavailable', 'unsupported', 'internal', 'not_found']), 'Not today');
    if (roll < 0.6) return { cwd: '/tmp/fuzz', vendorSessionId: 'v', model: 'm', interrupted: true };
    const [answer] = answers[method]?.batch(random) ?? [{}];
    const filled = this.#options.memory.fill(answer, undefined, random);
    return JSON.parse(JSON.stringify(roll < 0.8 ? filled : spoilInput(filled, random)));
  }
}
