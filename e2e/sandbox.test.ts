import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentEvent, RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { startFakeAnthropic, startFakeGoogle, startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBubblewrap } from './support/bubblewrap.ts';
import { agentEnvironment, type RunningProgram, startAgentRelay, withGemini } from './support/programs.ts';
import { until, untilGranted, untilMachine } from './support/until.ts';

const home = await tempHome();
const [anthropic, openAi, google] = await Promise.all([
  startFakeAnthropic({ model: wordScript() }),
  startFakeOpenAi({ model: wordScript() }),
  startFakeGoogle({ model: wordScript() }),
]);
let relay: RunningProgram;
let client: RelayClient;
let bystander: ChildProcess;

/** What each of them must not reach, and how it tries; what it could do is left in its folder, where it may write. */
const attempts = (folder: string, token: string) => `#!/bin/sh
cd ${folder}
echo mine > inside.txt
git init -q . && git -c user.name=A -c user.email=a@example.org commit -q --allow-empty -m works && git log --format=%s > history.txt
getent hosts localhost > names.txt
echo theirs > ${join(home.directory, 'other', 'written.txt')}
echo theirs > ${join(home.home, '.bashrc')}
cat ${join(home.directory, 'other', 'secret.txt')} ${token} ${join(home.home, '.ssh', 'id_ed25519')} > read.txt
kill -9 ${bystander.pid}
ls /proc | grep -x ${bystander.pid} > processes.txt
for file in .claude/settings.json .codex/config.toml .gemini/settings.json; do echo '{}' > "$HOME/$file"; done
echo done > finished.txt
exit 0
`;

beforeAll(async () => {
  if (!hasBubblewrap) return;
  const env = await withGemini(home, google, await agentEnvironment(home, anthropic, openAi));
  await home.makeFolder('other');
  await writeFile(join(home.directory, 'other', 'secret.txt'), 'secret of another project');
  await mkdir(join(home.home, '.ssh'));
  await writeFile(join(home.home, '.ssh', 'id_ed25519'), 'secret key');
  await mkdir(join(home.home, '.claude'), { recursive: true });
  await writeFile(join(home.home, '.claude', 'settings.json'), '{"cleanupPeriodDays": 30}');
  bystander = spawn('sleep', ['600'], { stdio: 'ignore' });
  relay = await startAgentRelay({ home, env });
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  client = createNodeRelayClient({ url: relay.url, token });
  await untilMachine(client);
});

afterAll(async () => {
  if (hasBubblewrap) {
    bystander.kill('SIGKILL');
    await client.close();
    await relay.end();
  }
  await home.remove();
  await Promise.all([anthropic, openAi, google].map((model) => model.close()));
});

const kinds = ['claude', 'codex', 'gemini'] as const;

test.skipIf(!hasBubblewrap).each(kinds)('a real %s in a sandbox does its work, and reaches nothing beyond its folder', async (provider) => {
  const folder = await home.makeFolder(`work-${provider}`);
  const token = ownerTokenPath(databasePathOf(relay.env));
  await writeFile(join(folder, 'attempts.sh'), attempts(folder, token));
  await untilGranted('the node', async () => {
    const { code, stdout, stderr } = await relay.run(
      ...['spawn', provider, '--name', provider, '--cwd', folder, '--mode', 'unrestricted', '--sandbox', 'os'],
    );
    if (code !== 0) throw new Error(stderr);
    expect(stdout).toContain('(mode unrestricted, sandbox bwrap)');
    return true;
  });
  await client.messages.send({ to: provider, body: `run command: sh ${join(folder, 'attempts.sh')} && then say: tried` });
  await said(provider, 'tried');
  const left = async (name: string) => (await readFile(join(folder, name), 'utf8').catch(() => 'MISSING')).trim();
  const files = ['inside.txt', 'history.txt', 'names.txt', 'read.txt', 'processes.txt', 'finished.txt'];
  const outcome = Object.fromEntries(await Promise.all(files.map(async (name) => [name, await left(name)])));
  expect(outcome).toEqual({
    'inside.txt': 'mine',
    'history.txt': 'works',
    'names.txt': expect.stringContaining('localhost'),
    'read.txt': '',
    'processes.txt': '',
    'finished.txt': 'done',
  });
  expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  expect(await readdir(join(home.directory, 'other'))).toEqual(['secret.txt']);
  expect(existsSync(join(home.home, '.bashrc'))).toBe(false);
  for (const name of ['.claude/settings.json', '.codex/config.toml', '.gemini/settings.json'])
    expect(await readFile(join(home.home, name), 'utf8')).not.toBe('{}\n');
  const [session] = (await client.sessions.list({ agent: provider, limit: 1 })).data;
  expect(session).toMatchObject({ sandbox: 'bwrap', sandboxReason: null });
  await client.agents.release({ id: provider });
});

test.skipIf(!hasBubblewrap)('what an agent in a sandbox starts is in one as well', async () => {
  await client.sessions.start({ name: 'Lead', provider: 'claude', cwd: home.workFolder, sandbox: 'os' });
  await client.messages.send({ to: 'Lead', body: 'call relay_spawn {"name":"Helper","provider":"claude"} && then say: spawned' });
  await said('Lead', 'spawned');
  expect((await client.sessions.list({ agent: 'Helper', limit: 1 })).data).toMatchObject([{ status: 'running', sandbox: 'bwrap' }]);
  for (const id of ['Helper', 'Lead']) await client.agents.release({ id });
});

test.skipIf(!hasBubblewrap).each(['claude', 'codex'])('a conversation of %s goes on in its sandbox', async (provider) => {
  const request = { name: `${provider}-again`, provider, cwd: home.workFolder, sandbox: 'os' } as const;
  const first = await client.sessions.start(request);
  await client.messages.send({ to: request.name, body: 'say: the first time', waitFor: { state: 'seen', timeoutMs: 30_000 } });
  await said(request.name, 'the first time');
  await client.agents.release({ id: request.name });
  const again = await client.sessions.start({ ...request, resume: true });
  expect(again).toMatchObject({ sandbox: 'bwrap' });
  expect(again.vendorSessionId).toBe((await client.sessions.get({ id: first.sessionId })).vendorSessionId);
  await client.messages.send({ to: request.name, body: 'say: the second time' });
  await said(request.name, 'the second time');
  await client.agents.release({ id: request.name });
});

test.skipIf(!hasBubblewrap).each(['codex', 'codex-exec'])(
  'what another agent has reserved is left alone by %s in a sandbox as well',
  async (provider) => {
    const folder = await home.makeFolder(`reserved-from-${provider}`);
    await client.agents.register({ id: 'Holder', name: 'Holder' });
    await client.reservations.create({ agentId: 'Holder', folder, patterns: ['kept.*'], enforced: true });
    const name = `${provider}-beside`;
    await untilGranted('the node', () => client.sessions.start({ name, provider, cwd: folder, mode: 'unrestricted', sandbox: 'os' }));
    const body = 'edit file: kept.txt | x && then run command: touch kept.sh && then edit file: free.txt | x && then say: over';
    await client.messages.send({ to: `id:${name}`, body });
    await said(name, 'over');
    expect(['kept.txt', 'kept.sh', 'free.txt'].filter((file) => existsSync(join(folder, file)))).toEqual(['free.txt']);
    await client.agents.release({ id: name });
  },
);

async function texts(id: string): Promise<readonly string[]> {
  const { data } = await client.agents.activity({ id, newest: true, limit: 500 });
  return data.flatMap(({ event }) =>
    event.type === 'text.completed' ? [(event as Extract<AgentEvent, { type: 'text.completed' }>).text] : [],
  );
}

const said = (id: string, words: string) => until(`${id} to say ${words}`, async () => (await texts(id)).includes(words));
