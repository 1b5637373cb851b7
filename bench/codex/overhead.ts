/**
 * What our Codex client costs: a trivial turn over it beside the same turn over a bare WebSocket on the same unix socket, and how long after a prompt
 * the first text comes from a session of the provider. One real app-server, a fake model that answers at once, rounds interleaved, medians.
 *
 *     node --conditions=agent-relay-source bench/codex/overhead.ts [--rounds 200]
 */
import { realpath } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CodexAppServer, CodexClient, CodexProvider } from 'agent-relay-codex-app-server';
import { agentCliPaths, startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import WebSocket from 'ws';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '200' } } });
const rounds = Number(values.rounds);

const home = await tempHome();
const model = await startFakeOpenAi({ model: wordScript() });
await model.writeCodexHome(home.codexHome);
const env = { ...home.env(), ...model.env() };
const command = agentCliPaths().codex;
const server = await CodexAppServer.start({ command, env });
if (server.endpoint.transport !== 'unix') throw new Error('A unix socket is what this measures');
const start = { cwd: home.workFolder, approvalPolicy: 'never', sandbox: 'read-only' } as const;
const text = 'say: ok';

interface Frame {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly threadId?: string };
  readonly result?: { readonly thread?: { readonly id: string } };
}

/** As little as it takes: numbered requests, and every frame parsed once. */
class BareClient {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (frame: Frame) => void>();
  #onNotification: (frame: Frame) => void = () => {};
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame; // a program of ours answers it
      if (frame.method === undefined && frame.id !== undefined) this.#answers.get(frame.id)?.(frame);
      else this.#onNotification(frame);
    });
  }

  static async open(socketPath: string): Promise<BareClient> {
    const socket = new WebSocket(`ws+unix://${await realpath(socketPath)}:/`, { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const bare = new BareClient(socket);
    await bare.request('initialize', { clientInfo: { name: 'bare', version: '1' }, capabilities: { experimentalApi: true } });
    socket.send(JSON.stringify({ method: 'initialized' }));
    return bare;
  }

  request(method: string, params: object): Promise<Frame> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      this.#answers.set(id, (frame) => {
        this.#answers.delete(id);
        resolve(frame);
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  async turn(threadId: string): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#onNotification = ({ method, params }) => {
        if (method === 'turn/completed' && params?.threadId === threadId) resolve();
      };
    });
    await this.request('turn/start', { threadId, input: [{ type: 'text', text, text_elements: [] }] });
    await ended;
  }

  close(): void {
    this.#socket.close();
  }
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};
const median = (all: readonly number[]): number => [...all].sort((left, right) => left - right)[Math.floor(all.length / 2)] ?? Number.NaN;

const bare = await BareClient.open(server.endpoint.socketPath);
const bareThread = (await bare.request('thread/start', start)).result?.thread?.id ?? '';
const client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'ours', version: '1' } });
const thread = await client.startThread(start);
const notifications = thread.notifications[Symbol.asyncIterator]();
let turns = 0;
const ourTurn = async (): Promise<void> => {
  turns += 1;
  await thread.startTurn({ text, clientUserMessageId: `bench-${turns}` });
  for (;;) if ((await notifications.next()).value?.method === 'turn/completed') return;
};

const provider = new CodexProvider({ endpoint: server.endpoint });
const session = await provider.start({
  agentId: 'bench',
  sessionId: 'bench',
  cwd: home.workFolder,
  mode: 'agentic',
  approval: 'open',
  instructions: '',
  mcp: [],
  env,
  onProcess: () => {},
});
const events = session.events[Symbol.asyncIterator]();
const until = async (wanted: string): Promise<void> => {
  for (;;) if ((await events.next()).value?.type === wanted) return;
};

const measures = { bare: [] as number[], ours: [] as number[], firstText: [] as number[] };
// The first rounds fill caches and count for nothing.
for (let round = -10; round < rounds; round += 1) {
  const taken = {
    bare: await timed(() => bare.turn(bareThread)),
    ours: await timed(ourTurn),
    firstText: await timed(async () => {
      await Promise.all([session.prompt({ text, messageIds: [] }, { mode: 'next' }), until('text.delta')]);
    }),
  };
  await until('turn.completed');
  if (round < 0) continue;
  measures.bare.push(taken.bare);
  measures.ours.push(taken.ours);
  measures.firstText.push(taken.firstText);
}
const [plain, own] = [median(measures.bare), median(measures.ours)];
console.log(`medians of ${rounds} interleaved turns of one Codex app-server over its unix socket\n`);
console.log(`a trivial turn over a bare WebSocket    ${plain.toFixed(1).padStart(7)} ms`);
console.log(
  `the same over CodexClient               ${own.toFixed(1).padStart(7)} ms   ${(own / plain).toFixed(2)} of it (wanted: at most 1.10)`,
);
console.log(`first text after a session's prompt     ${median(measures.firstText).toFixed(1).padStart(7)} ms`);

await provider.close();
await client.close();
bare.close();
await server.close();
await model.close();
await home.remove();
