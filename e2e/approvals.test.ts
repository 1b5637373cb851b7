import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentEvent, Approval, RelayClient, RelayEvent } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import { freePort, startFakeAnthropic, startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentEnvironment, localNodePid, type RunningProgram, startAgentRelay, startRelayConnect } from './support/programs.ts';
import { until, untilGranted, untilMachine } from './support/until.ts';

const home = await tempHome();
const models = { claude: await startFakeAnthropic({ model: wordScript() }), codex: await startFakeOpenAi({ model: wordScript() }) };
const port = await freePort();
let env: Record<string, string>;
let relay: RunningProgram;
let client: RelayClient;

beforeAll(async () => {
  env = await agentEnvironment(home, models.claude, models.codex);
  relay = await startAgentRelay({ home, env, port });
  client = await connect();
});

afterAll(async () => {
  await client.close();
  await relay.end();
  await home.remove();
  for (const model of [models.claude, models.codex]) {
    model.assertNoViolations();
    await model.close();
  }
});

describe.each(['claude', 'codex'] as const)('a guarded %s', (vendor) => {
  test('asks before it does what mail says; the question is listed, told and printed, and once allowed the command runs', async () => {
    const { cursor } = await client.messages.cursor();
    const { name, file, cwd } = await spawn(vendor);
    await tell(name, append(vendor, file, 'done'));
    const asked = await question(name);
    expect(asked).toMatchObject({ agentId: name, kind: 'execute', cwd, input: { command: expect.stringContaining(file) } });
    const [listed] = await questionsOnTheLog(cursor, name, 1);
    expect(listed).toEqual(asked);
    const printed = await relay.run('approvals', '--agent', name);
    expect([printed.code, printed.stdout]).toEqual([0, expect.stringContaining(`in ${cwd}\n`)]);
    expect(printed.stdout).toContain(`echo ran >> ${file}`);
    expect(existsSync(file)).toBe(false);

    expect(await relay.run('approve', asked.approvalId)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^${name}: allowed: `, 'u')),
    });
    await said(name, 'done');
    expect(await readFile(file, 'utf8')).toBe('ran\n');
    expect(await answersOf(name)).toEqual([['allowed', 'owner']]);
    expect((await relay.run('approve', asked.approvalId)).stderr).toMatch(/is allowed already, by owner \(already_resolved\)/u);
    await release(name);
  });

  test('is answered by one of two people who answer at once, and the other is told', async () => {
    const { name, file } = await spawn(vendor);
    await tell(name, append(vendor, file, 'decided'));
    const { approvalId } = await question(name);
    const { token } = await client.tokens.create({ name: 'phone', scopes: ['approvals:write'] });
    await using phone = createNodeRelayClient({ url: relay.url, token });
    const answers = await Promise.allSettled([
      client.approvals.resolve({ id: name, approvalId, outcome: 'allow' }),
      phone.approvals.resolve({ id: name, approvalId, outcome: 'deny' }),
    ]);
    const won = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    const lost = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    expect([won.length, lost.length]).toEqual([1, 1]);
    expect(lost[0]).toMatchObject({ code: 'already_resolved', details: { status: won[0]?.status, by: won[0]?.by } });
    await said(name, 'decided');
    expect(existsSync(file)).toBe(won[0]?.status === 'allowed');
    expect(await answersOf(name)).toEqual([[won[0]?.status, won[0]?.by]]);
    await release(name);
  });

  test('waits through the death of its relay, asks also while there is none, and gets each answer once', async () => {
    const { name, file } = await spawn(vendor);
    await tell(name, append(vendor, file, 'first'));
    const before = await question(name);
    await restartRelay();
    expect(await question(name)).toEqual(before);
    expect(await relayOnceConnected('approve', before.approvalId)).toMatchObject({ code: 0 });
    await said(name, 'first');
    expect(await readFile(file, 'utf8')).toBe('ran\n');

    await until('the end of the turn', async () => (await client.agents.get({ id: name })).status === 'idle');
    await tell(name, `slow 20 100 && then ${append(vendor, file, 'second')}`);
    await until('the turn', async () => (await client.agents.get({ id: name })).status === 'busy');
    await restartRelay(() => until('the question', () => isNoted(name, before)));
    const meanwhile = await question(name);
    expect(meanwhile.approvalId).not.toBe(before.approvalId);
    expect(await relayOnceConnected('approve', meanwhile.approvalId)).toMatchObject({ code: 0 });
    await said(name, 'second');
    expect(await readFile(file, 'utf8')).toBe('ran\nran\n');
    expect(await answersOf(name)).toEqual([
      ['allowed', 'owner'],
      ['allowed', 'owner'],
    ]);
    await release(name);
  });

  test('takes the silence of people for a no, and what a dead machine asked is over', async () => {
    await using node = await startRelayConnect({ relay, name: `quick-${vendor}`, args: ['--approval-timeout', '3'] });
    const [impatient, orphan] = [await spawn(vendor, { node: node.name }), await spawn(vendor)];
    await tell(impatient.name, append(vendor, impatient.file, 'nobody there'));
    await said(impatient.name, 'nobody there');
    expect(existsSync(impatient.file)).toBe(false);
    expect(wasModelSent(vendor, 'Nobody answered within 3 seconds')).toBe(true);
    expect(await answersOf(impatient.name)).toEqual([['denied', 'timeout']]);
    await release(impatient.name);

    await tell(orphan.name, append(vendor, orphan.file, 'never'));
    const { approvalId } = await question(orphan.name);
    process.kill(await localNodePid(relay), 'SIGKILL');
    const gone = await until('the end of the question', async () => (await asks(orphan.name)).find(({ status }) => status !== 'pending'));
    expect(gone).toMatchObject({ approvalId, status: 'cancelled', by: 'session' });
    expect((await relay.run('approve', approvalId)).stderr).toMatch(/is cancelled already, by session \(already_resolved\)/u);
    expect(existsSync(orphan.file)).toBe(false);
    await until('its agent to be offline', async () => (await client.agents.get({ id: orphan.name })).status === 'offline');
  });
});

test.each(['claude', 'codex'] as const)('%s is never asked when it is open, and never acts on mail when it only reads', async (vendor) => {
  for (const [approval, runs] of [
    ['open', true],
    ['read-only', false],
  ] as const) {
    const { name, file } = await spawn(vendor, { approval, mode: 'unrestricted' });
    await tell(name, `run command: touch ${file} && then say: tried`);
    await said(name, 'tried');
    expect([approval, existsSync(file), await asks(name)]).toEqual([approval, runs, []]);
    await release(name);
  }
});

test('a guarded codex does not do what a person denies, and its model is told why', async () => {
  const vendor = 'codex';
  const { name, file } = await spawn(vendor);
  await tell(name, append(vendor, file, 'then not'));
  const { approvalId } = await question(name);
  expect(await relay.run('approve', approvalId, '--deny', '--message', `Use a branch, ${name}.`)).toMatchObject({ code: 0 });
  await said(name, 'then not');
  expect(existsSync(file)).toBe(false);
  expect(wasModelSent(vendor, `Use a branch, ${name}.`)).toBe(true);
  expect(await ofType(name, 'tool.completed')).toMatchObject([{ outcome: 'declined' }]);
  await release(name);
});

test('a guarded agent does not get past its guard by a task for an agent that it starts', async () => {
  const { name, cwd } = await spawn('claude');
  const file = join(cwd, 'by-proxy.txt');
  const task = `edit file: ${file} | x && then say: tried`;
  await tell(name, `call relay_spawn ${JSON.stringify({ name: 'Proxy', provider: 'claude', cwd, task })}`);
  const { approvalId } = await question('Proxy');
  expect((await client.agents.get({ id: 'Proxy' })).approval).toBe('guarded');
  expect(await relay.run('approve', approvalId, '--deny')).toMatchObject({ code: 0, stdout: expect.stringContaining('Proxy: denied') });
  await said('Proxy', 'tried');
  expect(existsSync(file)).toBe(false);
  await release('Proxy');
  await release(name);
});

describe.each(['claude', 'codex'] as const)('an agentic %s', (vendor) => {
  const testFile = "import { test } from 'node:test'; test('adds', () => {});";

  test('that may ask runs a test in its folder, unasked where a sandbox holds it there and else when a person allows it', async () => {
    const { name, cwd } = await spawn(vendor, { approval: 'open', ask: true });
    await writeFile(join(cwd, 'a.test.mjs'), testFile);
    await tell(name, 'run command: node --test --test-reporter=tap a.test.mjs > result.txt && then say: tested');
    if (vendor === 'claude') {
      const { approvalId, input } = await question(name);
      expect(JSON.stringify(input)).toContain('node --test');
      expect(await relay.run('approve', approvalId)).toMatchObject({ code: 0 });
    }
    await said(name, 'tested');
    expect(await readFile(join(cwd, 'result.txt'), 'utf8')).toContain('# pass 1');
    await release(name);
  });

  test('that may ask leaves its folder when a person allows it, and not when a person denies it', async () => {
    const { name } = await spawn(vendor, { approval: 'open', ask: true });
    const [wanted, unwanted] = ['wanted', 'unwanted'].map((word) => join(home.directory, `${vendor}-${word}.txt`));
    for (const [file = '', answer] of [
      [wanted, []],
      [unwanted, ['--deny']],
    ] as const) {
      await tell(name, append(vendor, file, file));
      expect(await relay.run('approve', (await question(name)).approvalId, ...answer)).toMatchObject({ code: 0 });
      await said(name, file);
    }
    expect([existsSync(wanted ?? ''), existsSync(unwanted ?? '')]).toEqual([true, false]);
    await release(name);
  });

  test('that may ask nobody is refused what leaves its folder, and nobody is asked', async () => {
    const { name } = await spawn(vendor, { approval: 'open' });
    const file = join(home.directory, `${vendor}-alone.txt`);
    await tell(name, append(vendor, file, 'refused'));
    await said(name, 'refused');
    expect([existsSync(file), await asks(name)]).toEqual([false, []]);
    await release(name);
  });
});

/** What a message says to have a command leave a trace outside what is read only, and to say a word after it. */
function append(vendor: 'claude' | 'codex', file: string, word: string): string {
  const cmd = `echo ran >> ${file}`;
  if (vendor === 'claude') return `run command: ${cmd} && then say: ${word}`;
  const escalated = { cmd, sandbox_permissions: 'require_escalated', justification: 'It writes', yield_time_ms: 30_000 };
  return `call exec_command ${JSON.stringify(escalated)} && then say: ${word}`;
}

let spawned = 0;
async function spawn(
  vendor: string,
  more: { readonly approval?: ApprovalMode; readonly mode?: SpawnMode; readonly ask?: boolean; readonly node?: string } = {},
) {
  spawned += 1;
  const name = `${vendor}-${spawned}`;
  const cwd = await home.makeFolder(name);
  await untilGranted(`room for ${name}`, () => client.sessions.start({ name, provider: vendor, cwd, approval: 'guarded', ...more }));
  return { name, cwd, file: join(cwd, 'trace.txt') };
}

const tell = (to: string, body: string) => client.messages.send({ to, body });
const release = (id: string) => client.agents.release({ id });
const asks = async (agent: string): Promise<readonly Approval[]> => (await client.approvals.list({ agent })).data;
/** Of an agent that may still be on its way: nothing can be listed of one that nobody has registered. */
const question = (agent: string) =>
  until(`a question of ${agent}`, async () =>
    (await client.approvals.list({ status: 'pending' })).data.find(({ agentId }) => agentId === agent),
  );

async function ofType<Type extends AgentEvent['type']>(id: string, type: Type): Promise<readonly Extract<AgentEvent, { type: Type }>[]> {
  const { data } = await client.agents.activity({ id, newest: true, limit: 500 });
  return data.flatMap(({ event }) => (event.type === type ? [event as Extract<AgentEvent, { type: Type }>] : [])); // its type was compared
}

const said = (id: string, word: string) =>
  until(`${id} to say ${word}`, async () => (await ofType(id, 'text.completed')).some(({ text }) => text === word));
const answersOf = async (id: string) => (await ofType(id, 'approval.resolved')).map(({ outcome, by }) => [outcome, by]);

async function questionsOnTheLog(after: number, agentId: string, count: number): Promise<readonly Approval[]> {
  const found: Approval[] = [];
  for await (const event of client.events({ after, types: ['approval.requested'], signal: AbortSignal.timeout(60_000) })) {
    if (isAbout(event, agentId)) found.push(event.approval);
    if (found.length === count) break;
  }
  return found;
}

const isAbout = (event: RelayEvent, agentId: string): event is Extract<RelayEvent, { approval: Approval }> =>
  'approval' in event && event.approval.agentId === agentId;

const wasModelSent = (vendor: 'claude' | 'codex', text: string): boolean =>
  models[vendor].requests.some(({ body }) => JSON.stringify(body ?? null).includes(text));

async function restartRelay(meanwhile: () => Promise<unknown> = async () => {}): Promise<void> {
  await relay.end('SIGKILL');
  try {
    await meanwhile();
  } finally {
    relay = await startAgentRelay({ home, env, port });
    await client.close();
    client = await connect();
  }
}

/** Whether the local machine keeps another question of this agent for a relay that is away. */
async function isNoted(agentId: string, { approvalId }: Approval): Promise<boolean> {
  const folder = `${databasePathOf(relay.env)}.node/activity`;
  const logs = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  const lines = logs.filter((log) => log.includes(`"agentId":"${agentId}"`)).flatMap((log) => log.split('\n'));
  return lines.some((line) => line.includes('"type":"approval.requested"') && !line.includes(approvalId));
}

/** A machine dials again a moment after its relay is back. */
const relayOnceConnected = async (...command: readonly string[]) => {
  await untilMachine(client);
  return await until('the machine', async () => {
    const result = await relay.run(...command);
    return !result.stderr.includes('node_unavailable') && result;
  });
};

async function connect(): Promise<RelayClient> {
  const token = (await readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8')).trim();
  return createNodeRelayClient({ url: relay.url, token });
}
