import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { agentRelay } from './support/run-command.ts';

test('hooks, the audit, usage and reservations have their commands, which say what is there and what is wrong', async () => {
  await using relay = await startTestRelay();
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const run = (...args: string[]) => agentRelay(relay, ...args);
  await owner.agents.register({ id: 'Lead', name: 'Lead' });

  expect((await run('hooks')).notes).toMatch(/^No hooks\. They are written in ~\/\.agent-relay\/agent-relay\.yaml/u);
  const file = `${relay.databasePath}.hooks.yaml`;
  writeFileSync(file, `hooks:\n  relay:\n    on_task_failed:\n      - { name: tell, relay: Lead, body: "\${title} failed" }\n`, {
    mode: 0o600,
  });
  expect((await run('hooks', 'list')).out).toMatch(/^NAME +RUNS ON +FOR +WHEN +DOES\ntell +relay +relay +task_failed +relay: Lead$/u);
  expect(await run('hooks', 'test', 'tell', '--field', 'title=The build')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^hook tell on task_failed: skipped in 0 ms: A trial sends no message\. To Lead: The build failed$/u),
  });
  expect((await run('hooks', 'test', 'none')).notes).toMatch(/agent-relay hooks lists them, .* wrong in their files \(not_found\)$/u);
  expect((await run('hooks', 'test', 'tell', '--field', 'no value')).code).not.toBe(0);
  expect((await run('hooks', 'test', 'tell', '--field', 'titel=x')).notes).toContain('title is meant, perhaps');
  expect((await run('hooks', 'add', 'on_released', '--name', 'as in the file', '--to', 'Lead')).code).toBe(0);
  await run('hooks', 'remove', 'as in the file');
  expect((await run('hooks', 'add', 'stalled', '--name', 'call', '--to', 'Lead', '--mode', 'now')).out).toBe('The relay follows call.');
  expect((await run('hooks', 'add', 'stalled', '--webhook', 'https://ci.example/x', '--replaces', 'call')).out).toMatch(
    /^The relay follows relay\.on_stalled\[0\]\.\nIts posts are signed with [\w-]{32}$/u,
  );
  expect((await run('hooks', 'remove', 'relay.on_stalled[0]')).out).toBe('relay.on_stalled[0] is gone from the file.');
  expect((await run('hooks', 'add', 'stalled')).notes).toContain('--to or --webhook');
  expect(await run('hooks', 'add', 'stalled', '--to', 'Lead', '--webhook', 'https://ci.example/x')).toMatchObject({
    code: 2,
    notes: expect.stringContaining("'--webhook <url>' cannot be used with option '--to <address>'"),
  });
  expect((await run('hooks', 'add')).notes).toMatch(/For example: agent-relay hooks add task_failed --to Lead$/u);
  expect(await run('hooks', 'add', 'stalled', '--to', 'Nobody')).toMatchObject({
    code: 1,
    notes: expect.stringContaining('No agent is called Nobody'),
  });
  expect((await run('hooks', 'add', 'moon', '--to', 'Lead')).code).not.toBe(0);
  expect((await run('hooks', 'remove', 'call')).notes).toMatch(/not_found/u);
  expect((await run('hooks', 'log')).out).toMatch(/^\S+ {2}a trial {2}hook tell on task_failed: skipped/u);
  writeFileSync(file, 'hooks:\n  relay:\n    on_task_faild: []\n', { mode: 0o600 });
  expect((await run('hooks')).notes).toMatch(
    /goes on with what its file said before: .*:3: hooks\.relay\.on_task_faild: .*on_task_failed is meant/u,
  );

  await owner.agents.register({ id: 'Ann', name: 'Ann' });
  const added = await run('reservations', 'add', 'src/', '--agent', 'Ann', '--folder', '/work', '--enforced', '--note', 'moving things');
  const id = /^Reservation (\d+) of Ann holds until /u.exec(added.out)?.[1] ?? '';
  expect((await run('reservations', '--file', '/work/src/a.ts')).out).toMatch(
    new RegExp(`\\n${id} +Ann +src/ +/work +.* +yes +moving things$`, 'u'),
  );
  expect((await run('reservations', 'add', 'src/a.ts', '--folder', '/work')).notes).toMatch(
    /Ann has reserved src\/ until .*already_claimed/u,
  );
  expect((await run('reservations', 'renew', id, '--agent', 'Ann')).code).toBe(0);
  expect((await run('reservations', 'release', id, '--agent', 'Ann')).out).toBe(`Reservation ${id} is released.`);

  await owner.tokens.create({ name: 'ci', scopes: ['messages:read'] });
  expect((await run('audit')).out).toMatch(
    /^ID +WHEN +BY +TOKEN +DID +ABOUT +WITH\n\d+ +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +owner +tokens\/create +ci +/u,
  );
  expect((await run('audit', 'verify')).out).toMatch(/^Sound: \d+ entries after 0\. The last is \d+, [0-9a-f]{64}$/u);
  expect((await run('usage', '--since', '2026-01-01')).notes).toBe('Nothing was used, or no vendor said so.');
  expect((await run('usage', '--since', 'yesterday')).code).not.toBe(0);
});

test('a trial that failed says so, with its exit code as well', async () => {
  await using relay = await startTestRelay({ settings: { AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '1' } });
  const gone = createServer((_request, response) => void response.writeHead(410).end());
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port } = gone.address() as AddressInfo; // it listens on a port
  try {
    const file = `${relay.databasePath}.hooks.yaml`;
    writeFileSync(
      file,
      `hooks:\n  relay:\n    on_released:\n      - { name: post, webhook: "http://127.0.0.1:${port}/", secret: a-long-secret }\n`,
      {
        mode: 0o600,
      },
    );
    const { code, out, notes } = await agentRelay(relay, 'hooks', 'test', 'post');
    expect({ code, out, notes }).toEqual({
      code: 1,
      out: expect.stringMatching(/^hook post on released: failed in \d+ ms: .*410/u),
      notes: 'error: the hook failed',
    });
  } finally {
    gone.close();
  }
});
