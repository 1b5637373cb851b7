import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, type TempHome, tempHome } from 'agent-relay-testing';
import { expect, test } from 'vitest';
import { agentRelayProgram } from './support/programs.ts';
import { until } from './support/until.ts';

const page = fileURLToPath(new URL('../docs/api-walkthrough.md', import.meta.url));
/** Where the page says that callbacks go. */
const PAGE_CALLBACK_PORT = '4899';

/** Every call that the page promises to make; `:x` is one segment. */
const promised = [
  'POST /agents',
  'GET /agents',
  'GET /agents/find',
  'GET /agents/:id',
  'POST /agents/:id/heartbeat',
  'PATCH /agents/:id/label',
  'PATCH /agents/:id/status',
  'PATCH /agents/:id/ready',
  'PATCH /agents/:id/tags',
  'DELETE /agents/:id',
  'POST /messages',
  'GET /messages',
  'GET /messages/cursor',
  'GET /messages/:id',
  'GET /messages/:id/thread',
  'POST /messages/:id/claim',
  'PATCH /messages/:id',
  'DELETE /messages/:id',
  'POST /claims/:id/renew',
  'POST /claims/:id/progress',
  'POST /claims/:id/release',
  'POST /claims/:id/complete',
  'POST /pairs',
  'GET /pairs',
  'GET /pairs/:id',
  'POST /pairs/:id/accept',
  'POST /pairs/:id/reject',
  'POST /pairs/:id/messages',
  'POST /pairs/:id/hangup',
  'POST /integrations/events',
  'GET /integrations',
  'GET /tasks',
  'GET /tasks/:id',
  'GET /tasks/:id/events',
  'POST /tasks/:id/claim',
  'PATCH /tasks/:id/status',
  'GET /callbacks',
  'POST /callbacks/:id/redeliver',
  'GET /channels',
  'GET /channels/:id',
  'POST /channels/:id/bindings',
  'DELETE /channels/:id/bindings/:id',
  'POST /channels/:id/messages',
  'POST /channels/:id/links',
  'GET /channels/:id/conversation',
  'GET /events',
  'GET /stats',
  'GET /health',
  'POST /tokens',
  'GET /tokens',
  'DELETE /tokens/:id',
  'GET /openapi.json',
  'GET /spec',
  'GET /docs',
  'POST /mcp',
  'GET /metrics',
] as const;

test('the walk through the API holds, call by call, and calls everything it promises', { timeout: 240_000 }, async () => {
  await using home = await tempHome();
  const callbackPort = String(await freePort());
  const text = (await readFile(page, 'utf8')).replaceAll(PAGE_CALLBACK_PORT, callbackPort);
  const port = await freePort();
  const relay = await serveAsThePageSays(home, text, port);
  const recorder = await record(port);
  try {
    const walk = await run(blocksOf(text, 'sh').join('\n'), home, { AGENT_RELAY_URL: recorder.url });
    expect(walk).toMatchObject({ code: 0, errors: '', out: expect.stringMatching(/^The walk is over: .*\n$/u) });
    expect(promised.filter((call) => !recorder.succeeded.some((made) => isCall(call, made)))).toEqual([]);
  } finally {
    recorder.server.closeAllConnections();
    recorder.server.close();
    await endGroup(relay);
  }
});

const blocksOf = (text: string, kind: string): string[] =>
  [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gmu)].flatMap(([, info, code]) => (info === kind && code !== undefined ? [code] : []));

function isCall(promise: string, made: string): boolean {
  const shape = promise.replace(/:\w+/gu, '[^/]+').replace(' /', ' (?:/api)?/');
  return new RegExp(`^${shape}$`, 'u').test(made);
}

/** The first terminal: `agent-relay` is the built program, in a home with nothing in it. */
async function serveAsThePageSays(home: TempHome, text: string, port: number): Promise<ChildProcess> {
  const bin = await home.makeFolder('bin');
  await writeFile(join(bin, 'agent-relay'), `#!/bin/sh\nexec '${process.execPath}' '${agentRelayProgram}' "$@"\n`);
  await chmod(join(bin, 'agent-relay'), 0o755);
  const [block = ''] = blocksOf(text, 'sh serve');
  const env = { ...home.env(), PORT: String(port), PATH: [bin, process.env['PATH']].join(delimiter) };
  const child = spawn('sh', ['-c', block], { env, cwd: home.workFolder, detached: true, stdio: 'ignore' });
  await until('the relay of the page', () =>
    fetch(`http://127.0.0.1:${port}/api/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return child;
}

/** The second terminal, where nothing but the relay's address is known. */
function run(script: string, home: TempHome, env: Record<string, string>): Promise<{ code: number | null; out: string; errors: string }> {
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
  const child = spawn('sh', [], { env: { ...home.env(), PATH: path, ...env }, cwd: home.workFolder });
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  child.stdin.end(script);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, errors })));
}

async function endGroup(leader: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => leader.once('exit', resolve));
  if (leader.pid !== undefined) process.kill(-leader.pid, 'SIGTERM');
  await ended;
}

/** Stands between the walk and the relay, and writes down which calls were answered well. */
async function record(port: number): Promise<{ url: string; server: Server; succeeded: string[] }> {
  const succeeded: string[] = [];
  const server = createServer((incoming, answer) => {
    const { method, url = '', headers } = incoming;
    const outgoing = request({ port, host: '127.0.0.1', method, path: url, headers }, (response) => {
      const status = response.statusCode ?? 502;
      if (status < 300) succeeded.push(`${method} ${url.split('?')[0]}`);
      answer.writeHead(status, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    answer.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, succeeded }; // it listens on TCP
}
