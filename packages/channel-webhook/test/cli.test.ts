import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { mail, post, secret, startOutside, startWorld, until } from './world.ts';

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'agent-relay-webhook-cli-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--conditions=agent-relay-source', cli, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  const printed = { text: '' };
  child.stderr.on('data', (chunk) => {
    printed.text += chunk;
  });
  const code = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, printed, code };
}

test('the command carries a conversation, outlives a kill without loss, and leaves when it is told to', async () => {
  await using world = await startWorld();
  await using outside = await startOutside();
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${secret}\n`);
  const { token } = await world.relay.tokens.create({ name: 'shop', kind: 'channel', agentId: 'shop' });
  const args = ['--url', world.url, '--id', 'shop', '--secret-file', secretFile, '--port', '0', '--deliver-to', outside.url];
  const open = async () => {
    const command = start(args, { AGENT_RELAY_TOKEN: token });
    await until('the port', () => command.printed.text.includes('"url"'));
    const [, url = ''] = /"url":"([^"]+)"/u.exec(command.printed.text) ?? [];
    return { ...command, url };
  };
  const first = await open();
  await world.relay.channels.bind({ id: 'shop', conversationId: 'order-17', target: 'owner' });
  const taken = await post(first.url, mail('1'));
  expect(taken.status).toBe(201);
  expect((await world.relay.messages.get({ id: taken.messageIds[0] ?? 0 })).sender).toEqual({
    relation: 'channel',
    principal: 'token:shop',
  });
  first.child.kill('SIGKILL');
  await first.code;
  const { id } = await world.relay.messages.send({ to: 'shop', body: 'while it was away' });
  const second = await open();
  expect(await post(second.url, mail('1'))).toMatchObject({ status: 200, messageIds: taken.messageIds });
  await until('the receipt', async () => (await world.receipt(id))?.[0] === 'delivered');
  second.child.kill('SIGTERM');
  expect(await second.code).toBe(0);
  expect((await world.relay.channels.get({ id: 'shop' })).status).toBe('offline');
  expect(`${first.printed.text}${second.printed.text}`).not.toMatch(new RegExp(`${secret}|${token}|Where is it|while it was away`, 'u'));
});

test.each([
  [[], {}, 'the secret is missing'],
  [[], { AGENT_RELAY_WEBHOOK_SECRET: 'short' }, 'shorter than 16'],
  [['--secret-file', '/nonexistent'], {}, '/nonexistent cannot be read'],
  [['--port', 'x'], {}, 'must be a port'],
  [['--deliver-to', 'ftp://x'], {}, 'must be an http or https address'],
  [['--id', 'a b'], {}, 'An id is made of'],
] as const)('%j with %j is wrong usage', async (args, env, said) => {
  const { code, printed } = start(args, env);
  expect([await code, printed.text]).toEqual([2, expect.stringContaining(said)]);
});
