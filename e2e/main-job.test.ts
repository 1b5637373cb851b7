import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { MessageDetail } from 'agent-relay-protocol';
import { databasePathOf, ownerTokenPath } from 'agent-relay-server';
import {
  callTool,
  editFile,
  type Model,
  type ModelRequest,
  say,
  startFakeAnthropic,
  startFakeGoogle,
  startFakeOpenAi,
  tempHome,
  wordScript,
} from 'agent-relay-testing';
import { commandLineOf } from 'agent-relay-wire/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasBrowser, keepScreenshot, startBrowser } from './support/browser.ts';
import { agentEnvironment, processesMentioning, type RunningProgram, startAgentRelay, withGemini } from './support/programs.ts';
import { until } from './support/until.ts';

const task = 'Have Worker write the greeting into greeting.txt and report its answer.';
const order = 'Please write "hello from Worker" into greeting.txt and tell me when it is there.';

/** Lead: spawns Worker, asks it, and reports once the answer is in its session. */
const lead: Model = (request) => {
  if (mentions(request, 'greeting.txt is written')) return say('Worker reports: greeting.txt is written.');
  if (!called(request, 'relay_spawn')) return callTool('relay_spawn', { name: 'Worker', provider: 'codex' });
  if (!called(request, 'relay_send')) return callTool('relay_send', { to: 'Worker', body: order });
  return say('I asked Worker and wait for its answer.');
};

/** Worker: edits the file in its folder, then answers the message that asked. */
const worker: Model = (request) => {
  const asked = /\[msg:(\d+)\] from Lead:/u.exec(texts(request));
  if (!asked) return say('Ready.');
  if (!called(request, 'apply_patch')) return editFile('greeting.txt', 'hello from Worker');
  if (!called(request, 'relay_reply')) return callTool('relay_reply', { messageId: Number(asked[1]), body: 'greeting.txt is written' });
  return say('Done.');
};

const texts = ({ conversation }: ModelRequest) => conversation.map((entry) => ('text' in entry ? entry.text : '')).join('\n');
const mentions = (request: ModelRequest, text: string) =>
  request.conversation.some((entry) => entry.kind === 'userText' && entry.text.includes(text));
const called = ({ conversation }: ModelRequest, name: string) =>
  conversation.some((entry) => entry.kind === 'toolCall' && entry.name === name);

const home = await tempHome();
const anthropic = await startFakeAnthropic({ model: lead });
const openAi = await startFakeOpenAi({ model: worker });
const google = await startFakeGoogle({ model: wordScript() });
let relay: RunningProgram;

beforeAll(async () => {
  relay = await startAgentRelay({ home, env: await withGemini(home, google, await agentEnvironment(home, anthropic, openAi)) });
  await using client = createNodeRelayClient({ url: relay.url, token: await ownerToken() });
  await until('its own machine', async () => (await client.nodes.list({})).data.some(({ status }) => status === 'online'));
});

afterAll(async () => {
  await relay.end();
  await home.remove();
  await anthropic.close();
  await openAi.close();
  await google.close();
});

test.skipIf(!hasBrowser)(
  'Lead, a real Claude Code, has Worker, a real Codex, change a file and reports the answer, while a person watches',
  async () => {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
      await page.goto(relay.loginLink);
      await page.getByRole('link', { name: 'Messages', exact: true }).click();
      await page.getByRole('navigation', { name: 'Agents' }).waitFor();

      const spawned = await relay.run('spawn', 'claude', '--name', 'Lead', '--task', task);
      expect(spawned).toMatchObject({ code: 0 });

      const token = await ownerToken();
      await using client = createNodeRelayClient({ url: relay.url, token });
      const find = async (match: (message: MessageDetail) => boolean) => (await client.messages.list({ newest: true })).data.find(match);
      const ordered = await until("Lead's order", () => find(({ from, to }) => from === 'Lead' && to === 'id:Worker'));
      const order = page.locator(`[data-message-id="${ordered.id}"]`);
      await order.waitFor();
      await page
        .getByRole('navigation', { name: 'Agents' })
        .getByRole('link', { name: /^Worker/u })
        .click();
      // The receipt changes in front of the person, without a reload.
      await order.locator('[data-receipt="answered"]').waitFor({ timeout: 60_000 });

      const answered = await until("Worker's answer", () => find(({ from, replyTo }) => from === 'Worker' && replyTo === ordered.id));
      expect(answered).toMatchObject({ to: 'id:Lead', body: 'greeting.txt is written' });
      expect(await readFile(join(home.workFolder, 'greeting.txt'), 'utf8')).toBe('hello from Worker\n');

      const receipt = await until('a receipt of the answer', async () => {
        const { data } = await client.messages.deliveries({ id: answered.id });
        return data.find(({ state }) => state === 'seen');
      });
      expect(receipt).toMatchObject({ agentId: 'Lead', state: 'seen', evidence: 'echo' });
      await until('the report', async () => {
        const { data } = await client.agents.activity({ id: 'Lead', newest: true });
        return data.find(({ event }) => event.type === 'text.completed' && event.text.includes('Worker reports: greeting.txt is written.'));
      });
      await page.locator('[data-block="text"]', { hasText: 'Done.' }).waitFor();
      await keepScreenshot(page, 'main-job-worker');
      await page.getByRole('navigation', { name: 'Agents' }).getByRole('link', { name: /^Lead/u }).click();
      await page.locator('[data-block="text"]', { hasText: 'Worker reports: greeting.txt is written.' }).waitFor();
      await keepScreenshot(page, 'main-job-lead');
    } finally {
      await browser.close();
    }
    anthropic.assertNoViolations();
    openAi.assertNoViolations();
  },
);

test.skipIf(!hasBrowser)('a person sends to Worker from the dashboard and sees the receipt change', async () => {
  const browser = await startBrowser();
  try {
    const { stdout } = await relay.run('login');
    const link = /http:\/\/\S+/u.exec(stdout)?.[0] ?? '';
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    await page.goto(link);
    await page.getByRole('link', { name: /^Worker/u }).click();
    await page.getByLabel('Message', { exact: true }).fill('Thank you.');
    await page.getByRole('button', { name: 'Send' }).click();
    const message = page.locator('article', { hasText: 'Thank you.' });
    await message.waitFor();
    await message.locator('[data-receipt="seen"]').waitFor();
    await keepScreenshot(page, 'composer');
  } finally {
    await browser.close();
  }
});

test('Scout, a real Gemini CLI, joins them: it asks before it writes, tells Lead, is steered in the middle of a turn, and released', async () => {
  expect(await relay.run('spawn', 'gemini', '--name', 'Scout', '--approval', 'guarded')).toMatchObject({ code: 0 });
  await using client = createNodeRelayClient({ url: relay.url, token: await ownerToken() });
  const words =
    'edit file: scouted.txt | seen by Scout && then call relay_send {"to":"Lead","body":"scouted.txt is there"} && then say: reported';
  const ordered = await client.messages.send({ to: 'Scout', body: words });
  const asked = await until('its question', async () =>
    (await client.approvals.list({ status: 'pending' })).data.find(({ agentId }) => agentId === 'Scout'),
  );
  expect(asked).toMatchObject({ kind: 'edit', title: expect.stringContaining('scouted.txt') });
  expect(await relay.run('approve', asked.approvalId)).toMatchObject({ code: 0 });
  const told = await until('its word to Lead', async () => (await client.messages.list({ from: 'Scout', newest: true })).data[0]);
  expect(told).toMatchObject({ to: 'id:Lead', body: 'scouted.txt is there' });
  expect(await readFile(join(home.workFolder, 'scouted.txt'), 'utf8')).toBe('seen by Scout\n');
  const [receipt] = (await client.messages.deliveries({ id: ordered.id })).data;
  expect(receipt).toMatchObject({ agentId: 'Scout', state: 'seen', evidence: 'turn' });

  const said = (text: string) =>
    until(`Scout to say ${text}`, async () =>
      (await client.agents.activity({ id: 'Scout', newest: true, limit: 500 })).data.find(
        ({ event }) => event.type === 'text.completed' && event.text === text,
      ),
    );
  await said('reported');
  await client.messages.send({ to: 'Scout', body: 'slow 200 200' });
  await until('the long turn', async () => (await client.agents.get({ id: 'Scout' })).status === 'busy');
  await client.messages.send({ to: 'Scout', body: 'say: on another course', mode: 'urgent' });
  await said('on another course');
  const scouts = async () => geminis(await processesMentioning(`HOME=${home.home}`));
  expect(await scouts()).not.toEqual([]);
  expect(await relay.run('release', 'Scout')).toMatchObject({ code: 0 });
  await until('the end of its process', async () => (await scouts()).length === 0);
  google.assertNoViolations();
});

test('releasing an agent ends its processes and keeps its address', async () => {
  expect(await relay.run('release', 'Worker')).toMatchObject({ code: 0 });
  const { stdout } = await relay.run('agents', '--all');
  expect(stdout).toMatch(/Worker\s.*offline/u);
});

test('a clean stop leaves no process behind', async () => {
  expect(await relay.end('SIGTERM')).toBe(0);
  await until('the agents to be gone', async () => (await processesMentioning(`HOME=${home.home}`)).length === 0);
});

const ownerToken = () => readFile(ownerTokenPath(databasePathOf(relay.env)), 'utf8').then((text) => text.trim());

async function geminis(pids: readonly number[]): Promise<readonly number[]> {
  const lines = await Promise.all(pids.map((pid) => commandLineOf(pid)));
  return pids.filter((_, index) => lines[index]?.some((word) => word.includes('gemini')));
}
