import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadedBy } from 'agent-relay-testing';
import { expect, onTestFinished, test } from 'vitest';
import { bundledPrograms } from './bundled-programs.ts';

test('what is started for every hook is small, and loads nothing but Node', async () => {
  const { hook } = await bundledPrograms();
  const { length, builtins, others } = loadedBy(hook);
  expect(builtins).toContain('node:net');
  expect(builtins).not.toContain('node:crypto');
  expect(others).toEqual([]);
  expect(length).toBeLessThan(20_000);
});

test('what a session waits for before it has the tools is small, and loads nothing but Node', async () => {
  const { sidecar } = await bundledPrograms();
  const { length, others } = loadedBy(sidecar);
  expect(others).toEqual([]);
  expect(length).toBeLessThan(60_000);
});

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const initialize = {
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};

test.each([
  { spoken: 'once, as a connection begins', questions: [initialize, { method: 'tools/list' }, { method: 'ping' }] },
  {
    spoken: 'with each question',
    questions: [
      ...['server/discover', 'tools/list'].map((method) => ({ method, params: { _meta: meta } })),
      { method: 'tools/call', params: { name: 'relay_nothing', arguments: {}, _meta: meta } },
    ],
  },
])('each question is answered once, in its order, where the protocol version is told $spoken', async ({ questions }) => {
  const { sidecar } = await bundledPrograms();
  const home = mkdtempSync(join(tmpdir(), 'claude-plugin-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const child = spawn(process.execPath, [sidecar], {
    env: { HOME: home, TMPDIR: home, AGENT_RELAY_URL: 'http://127.0.0.1:1' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const answers: { readonly id: number; readonly result?: { readonly tools?: readonly object[] } }[] = [];
  const lines = createInterface({ input: child.stdout });
  for (const [id, question] of questions.entries()) {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...question })}\n`);
    const [line] = await once(lines, 'line');
    answers.push(JSON.parse(line));
  }
  child.stdin.end();
  await once(child, 'close');
  expect(answers.map(({ id }) => id)).toEqual([0, 1, 2]);
  expect(answers[1]?.result?.tools).toContainEqual(expect.objectContaining({ name: 'relay_send' }));
});
