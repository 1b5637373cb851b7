import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from 'agent-relay-protocol';
import { silentLog } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { ScriptedProvider } from '../../host/test/scripted-provider.ts';
import type { RunningNode } from '../src/node-contract.ts';
import { FileOwner } from '../src/owner/owner.ts';
import { runNode } from '../src/run-node.ts';
import { until } from './link-world.ts';

type Frame = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly [name: string]: unknown };
  readonly error?: Refusal;
};
type Refusal = { readonly message: string; readonly data?: { readonly code?: string } };

/** A relay that asks of a machine whatever it likes, and does what no relay of ours would. */
class ScriptedRelay {
  readonly heard: Frame[] = [];
  readonly #server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  #socket: WebSocket | null = null;
  #lastId = 1_000;
  readonly #answers = new Map<number, (frame: Frame) => void>();

  constructor() {
    this.#server.on('connection', (socket) => {
      this.#socket = socket;
      socket.on('message', (data) => this.#receive(JSON.parse(String(data)) as Frame)); // what our own node sends: its frames are what is tested
    });
  }

  async listening(): Promise<void> {
    if (this.#server.address() === null) await once(this.#server, 'listening');
  }

  get url(): URL {
    const address = this.#server.address();
    return new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  }

  /** What the node answers: `started`, or the code and sentence of its refusal. */
  async ask(method: string, params: object): Promise<readonly [string, string]> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Frame>((resolve) => this.#answers.set(id, resolve));
    this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    const { error } = await answered;
    return error ? [error.data?.code ?? 'no code', error.message] : ['started', ''];
  }

  close(): void {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
  }

  #receive(frame: Frame): void {
    if (frame.method === undefined) {
      this.#answers.get(frame.id ?? 0)?.(frame);
      return;
    }
    this.heard.push(frame);
    // Whoever is asked for an agent takes its time.
    if (frame.method === 'sessions/start') return;
    const entries = frame.params?.['entries'];
    const answers: Record<string, object> = {
      'nodes/attach': { nodeId: 'n1', sessions: [] },
      'nodes/heartbeat': { release: [] },
      'activity/append': { ackedSeq: Array.isArray(entries) ? entries.at(-1)?.seq : 0 },
    };
    const result = answers[frame.method] ?? {};
    if (frame.id !== undefined) this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', id: frame.id, result }));
  }
}

let folder: string;
let file: string;
let relay: ScriptedRelay;
let node: RunningNode;
const provider = new ScriptedProvider();
const other = new ScriptedProvider({ id: 'other' });

const rules = (work: string) => `# what this machine does
labels: [gpu]
capacity: 2
folders: [${work}]
providers: [scripted]
modes: [safe, agentic]
approvals: [read-only, guarded]
environment: [WANTED_*]
spawners: [owner, own-agents]
`;

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'malicious-relay-')));
  file = join(folder, 'node.yaml');
  for (const name of ['work', 'private']) mkdirSync(join(folder, name));
  symlinkSync(join(folder, 'private'), join(folder, 'work', 'way-out'));
  writeFileSync(file, rules(join(folder, 'work')));
  relay = new ScriptedRelay();
  await relay.listening();
  provider.started.length = 0;
  node = await attach();
});

async function attach(): Promise<RunningNode> {
  relay.heard.length = 0;
  const attached = await runNode({
    url: relay.url,
    readToken: async () => 'token',
    name: 'laptop',
    stateDir: join(folder, 'state'),
    allowedFolders: [],
    providers: [provider, other],
    owner: new FileOwner(file),
    log: silentLog,
    env: { ...process.env, WANTED_REGION: 'here', UNWANTED_KEY: 'secret' },
    allowedEnvironment: ['*'],
    clock: Date,
    heartbeatMs: 50,
  });
  await until(() => expect(heard('nodes/attach')).toHaveLength(1));
  return attached;
}
afterEach(async () => {
  await node.stop('over');
  relay.close();
  rmSync(folder, { recursive: true });
});

const heard = (method: string) => relay.heard.filter((frame) => frame.method === method);

let sessions = 0;
/** Asks for an agent as the relay does, the session's own word and the start's alike. */
function start(over: Partial<Session> & { readonly approval?: string; readonly within?: string; readonly more?: object } = {}) {
  const { approval = 'guarded', within = null, more = {}, ...said } = over;
  sessions += 1;
  const session = {
    ...{
      sessionId: `s${sessions}`,
      agentId: `Worker${sessions}`,
      nodeId: 'n1',
      provider: 'scripted',
      instanceId: `i${sessions}`,
      epoch: 1,
    },
    ...{ spawnedBy: null, mode: 'agentic', ask: false, cwd: join(folder, 'work'), model: null, vendorSessionId: null, sandbox: 'none' },
    ...{ sandboxReason: null, status: 'starting', startedAt: 1, endedAt: null, reason: null, ...said },
  };
  const { cwd, mode } = session;
  return relay.ask('session/start', { session, token: 't', task: null, cwd, within, mode, approval, model: null, ...more });
}

test('no relay has a machine run what its owner did not allow; each refusal names the line', async () => {
  const refused = (line: number, key: string, rest: string) => [
    'forbidden',
    expect.stringContaining(`${file} line ${line} (${key}): ${rest}`),
  ];
  expect(heard('nodes/attach')[0]?.params).toMatchObject({ terms: { labels: ['gpu'], capacity: 2, spawners: ['owner', 'own-agents'] } });
  expect(await start({ provider: 'other' })).toEqual(refused(5, 'providers', 'this machine runs no other; it allows scripted'));
  expect(await start({ mode: 'unrestricted' })).toEqual(refused(6, 'modes', 'this machine runs no agent in mode unrestricted'));
  expect(await start({ approval: 'open' })).toEqual(refused(7, 'approvals', 'this machine runs no agent with approval open'));
  expect(await start({ cwd: join(folder, 'private') })).toEqual(refused(4, 'folders', `agents do not work in ${folder}/private`));
  expect(await start({ cwd: join(folder, 'work', 'way-out') })).toEqual(refused(4, 'folders', `agents do not work in ${folder}/private`));
  expect(await start({ cwd: null, within: join(folder, 'private') })).toEqual(
    refused(4, 'folders', `agents do not work in ${folder}/private`),
  );
  expect(await start({ spawnedBy: 'Stranger' })).toEqual(
    refused(9, 'spawners', 'this machine starts nothing for agents that run elsewhere'),
  );
  expect(provider.started).toEqual([]);

  // What a relay may not say at all is passed over: there is no word for an environment, a command or a sandbox that is none.
  const more = { env: { UNWANTED_KEY: 'x' }, allowedFolders: ['/'], owner: {}, command: '/bin/sh', environment: ['UNWANTED_KEY'] };
  expect(await start({ agentId: 'Lead', more })).toEqual(['started', '']);
  expect(provider.started[0]?.env).toMatchObject({ WANTED_REGION: 'here' });
  expect(provider.started[0]?.env).not.toHaveProperty('UNWANTED_KEY');

  expect(await start({ spawnedBy: 'Lead' })).toEqual(['started', '']);
  expect(await start()).toEqual(['busy', expect.stringContaining(`${file} line 3 (capacity): this machine runs 2 agents at once`)]);
  expect(provider.started).toHaveLength(2);
});

test.each([
  ['resume', { resume: '--settings={"apiKeyHelper":"id; echo k"}' }],
  ['resume', { resume: '-c' }],
  ['resume', { resume: '../other' }],
  ['model', { model: '--settings={"apiKeyHelper":"id; echo k"}' }],
])('%s is no option of a program: %o', async (name, more) => {
  expect(await start({ more })).toEqual(['validation_failed', expect.stringMatching(new RegExp(`^${name}: `, 'u'))]);
  expect(provider.started).toEqual([]);
});

test('the name of an agent that is kept is leave for what its entry says, and for nothing else', async () => {
  const work = join(folder, 'work');
  await node.stop('kept from here on');
  writeFileSync(file, `spawners: []\nkeep:\n  - { name: Kept, provider: scripted, folder: ${work}, mode: safe, approval: guarded }\n`);
  node = await attach();
  await until(() => expect(heard('sessions/start').map(({ params }) => params?.['name'])).toContain('Kept'));
  const kept = { agentId: 'Kept', mode: 'safe' } as const;
  const others = [
    { ...kept, mode: 'unrestricted' as const },
    { ...kept, approval: 'open' },
    { ...kept, cwd: join(folder, 'private') },
    { ...kept, provider: 'other' },
    { ...kept, ask: true },
    { ...kept, target: 'background' as const },
    { ...kept, more: { task: 'do this' } },
    { ...kept, more: { model: 'dear' } },
  ];
  for (const asked of others) expect((await start(asked))[0]).toBe('forbidden');
  expect(provider.started).toEqual([]);
  expect(await start(kept)).toEqual(['started', '']);
});

test('an agent that runs elsewhere names no folder in any way, and none is in the background where it would not be held', async () => {
  writeFileSync(file, 'modes: [agentic]\n');
  const elsewhere = { spawnedBy: 'Stranger', cwd: null };
  expect(await start({ ...elsewhere, within: join(folder, 'private') })).toEqual(['forbidden', expect.stringContaining('lists folders')]);
  expect(await start(elsewhere)).toEqual(['started', '']);
  for (const limit of ['approvals: [guarded]', 'environment: [WANTED_*]']) {
    writeFileSync(file, `modes: [agentic]\n${limit}\n`);
    const [key = ''] = limit.split(':');
    expect(await start({ target: 'background' })).toEqual(['forbidden', expect.stringContaining(`${file} line 2 (${key}): `)]);
  }
  expect(provider.started).toHaveLength(1);
});

test('a yes of the relay goes as far as the owner says, its no always', async () => {
  const resolve = (approvalId: string, outcome: 'allow' | 'deny') =>
    relay.ask('session/resolve-approval', { sessionId: `s${sessions}`, approvalId, outcome, by: 'owner' });
  const questions = () =>
    heard('activity/append').flatMap(({ params }) => {
      const entries = params?.['entries'];
      return Array.isArray(entries)
        ? entries.flatMap(({ event }) => (event.type === 'approval.requested' ? [String(event.approvalId)] : []))
        : [];
    });
  writeFileSync(file, 'modes: [agentic]\nanswers: none\n');
  expect(await start({ more: { task: '!ask npm publish' } })).toEqual(['started', '']);
  await until(() => expect(questions()).toHaveLength(1));
  const [first = ''] = questions();
  expect(await resolve(first, 'allow')).toEqual(['forbidden', expect.stringContaining(`${file} line 2 (answers): `)]);
  // While it is wrong nothing is allowed either.
  writeFileSync(file, 'answers: perhaps\n');
  expect(await resolve(first, 'allow')).toEqual(['forbidden', expect.stringContaining(`${file} line 1: answers: `)]);
  expect(await resolve('of nobody', 'allow')).toEqual(['started', '']);
  writeFileSync(file, 'answers: once\n');
  expect(await resolve(first, 'allow')).toEqual(['started', '']);
  const outcomes = () => JSON.stringify(heard('activity/append')).match(/"outcome":"(?:allowed|denied)"/gu);
  await until(() => expect(outcomes()).toEqual(['"outcome":"allowed"']));
  writeFileSync(file, 'answers: none\n');
  expect(await start({ more: { task: '!ask npm publish' } })).toEqual(['started', '']);
  await until(() => expect(questions()).toHaveLength(2));
  expect(await resolve(questions()[1] ?? '', 'deny')).toEqual(['started', '']);
  await until(() => expect(outcomes()).toEqual(['"outcome":"allowed"', '"outcome":"denied"']));
  expect(await start({ target: 'background' })).toEqual(['forbidden', expect.stringContaining(`${file} line 1 (answers): `)]);
});

test('no agent that is held to its folder works where its owner says what holds it, whatever folders are listed', async () => {
  writeFileSync(file, `modes: [agentic]\nfolders: [${folder}]\n`);
  expect(await start({ cwd: folder })).toEqual(['forbidden', expect.stringContaining(`holds ${file}`)]);
  mkdirSync(join(folder, 'work', '.ssh'));
  expect(await start({ cwd: join(folder, 'work', '.ssh') })).toEqual(['forbidden', expect.stringContaining('lies in .ssh')]);
  expect(provider.started).toEqual([]);
  expect(await start()).toEqual(['started', '']);
});

test('two starts that come together are not both the last that fits', async () => {
  writeFileSync(file, 'capacity: 1\n');
  const outcomes = await Promise.all([start(), start(), start()]);
  expect(outcomes.map(([word]) => word).sort()).toEqual(['busy', 'busy', 'started']);
});

test('a file that is changed counts for the next start, and the relay is told; what runs stays', async () => {
  expect(await start({ agentId: 'Lead' })).toEqual(['started', '']);
  writeFileSync(file, 'labels: [cpu]\nmodes: [safe]\n');
  expect((await start())[1]).toContain(`${file} line 2 (modes)`);
  await until(() =>
    expect(heard('nodes/heartbeat').find(({ params }) => params?.['offer'])?.params).toMatchObject({
      offer: { terms: { labels: ['cpu'] } },
    }),
  );
  writeFileSync(file, 'modes: safe\n');
  expect(await start({ mode: 'safe' })).toEqual(['validation_failed', expect.stringContaining(`${file} line 1: modes: `)]);
  expect(heard('nodes/heartbeat').at(-1)?.params?.['load']).toMatchObject({
    cores: expect.any(Number),
    totalMemoryBytes: expect.any(Number),
  });
  const running = heard('nodes/heartbeat').at(-1)?.params?.['sessions'];
  expect(running).toHaveLength(1);
});
