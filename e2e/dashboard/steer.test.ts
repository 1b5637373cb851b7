import { type ActivityOptions, createRelayClient } from 'agent-relay-client';
import { expect, test } from 'vitest';
import { hasBrowser, keepScreenshot } from '../support/browser.ts';
import { startAskingNode } from './asking-node.ts';
import { openDashboard } from './support.ts';

test.skipIf(!hasBrowser)(
  'a message is answered, claimed and deleted where it stands, and one is told whom the next one reaches',
  async () => {
    await using world = await openDashboard();
    const { owner } = world;
    for (const name of ['Lead', 'Worker']) await owner.agents.register({ name, tags: ['ops'], channels: name === 'Lead' ? null : [] });
    const asked = await owner.messages.send({ from: 'Lead', to: 'owner', body: 'Which **database**?' });
    const offered = await owner.messages.send({ from: 'Lead', to: 'owner', body: 'Rotate the logs', claimable: true, channel: 'deploy' });
    const page = await world.openPage('/messages');
    const row = (id: number) => page.locator(`[data-message-id="${id}"]`);
    await row(asked.id).locator('strong', { hasText: 'database' }).waitFor();
    await row(asked.id)
      .getByRole('button', { name: `Answer message ${asked.id}` })
      .click();
    await page.getByLabel('Message', { exact: true }).fill('The new one');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('article', { hasText: 'The new one' }).getByText(`answers ${asked.id}`).waitFor();
    await row(offered.id)
      .getByRole('button', { name: `Claim message ${offered.id}` })
      .click();
    await row(offered.id).getByText('claimed by owner').waitFor();
    await row(asked.id)
      .getByRole('button', { name: `Delete message ${asked.id}` })
      .click();
    await row(asked.id)
      .getByRole('button', { name: `Delete the words of message ${asked.id}` })
      .click();
    await row(asked.id).getByText('deleted', { exact: true }).waitFor();

    // What is foretold is what the relay then says.
    const to = page.getByLabel('To', { exact: true });
    for (const address of ['tag:ops', '#deploy', 'broadcast', 'Worker', 'tag:nobody']) {
      await to.fill(address);
      const words = await page
        .getByRole('status')
        .filter({ hasText: /^Reaches/u })
        .innerText();
      const { matched } = await owner.messages.send({ to: address, body: 'Who hears this?' });
      expect([address, words === 'Reaches nobody now' ? 0 : words.split(',').length]).toEqual([address, matched]);
    }
    await page.getByLabel('Only in channel').fill('deploy');
    await page.locator('article', { hasText: 'The new one' }).waitFor({ state: 'detached' });
    await row(offered.id).waitFor();
    await keepScreenshot(page, 'dashboard-messages-of-channel');

    await page.goto('/agents/Worker');
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('When a message comes').selectOption('it asks you first');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/· guarded$/u).waitFor();
    expect(await owner.agents.get({ id: 'Worker' })).toMatchObject({ approval: 'guarded', tags: ['ops'], channels: [] });
  },
);

test.skipIf(!hasBrowser)(
  'an agent’s page leads from a message to its prompt and back, and shows what went into a tool and what came out',
  async () => {
    await using world = await openDashboard();
    const { owner, relay } = world;
    await using node = await startAskingNode(relay, {});
    await owner.sessions.start({ provider: 'asker', name: 'Worker' });
    const { id } = await owner.messages.send({ to: 'Worker', body: 'List the files' });
    const turn = { turnId: 't' };
    node.tell({ type: 'turn.started', ...turn });
    node.tell({ type: 'user.message', ...turn, text: 'List the files', messageIds: [id] });
    node.tell({ type: 'reasoning.completed', ...turn, itemId: 'r', text: 'They are in **src**.' });
    node.tell({ type: 'tool.started', ...turn, itemId: 'c', name: 'Bash', kind: 'execute', title: 'ls src', input: { command: 'ls src' } });
    node.tell({ type: 'tool.completed', ...turn, itemId: 'c', outcome: 'failed', output: 'no such folder', exitCode: 2 });
    node.tell({ type: 'file.changed', ...turn, changes: [{ path: '/srv/a.ts', change: 'updated', diff: '@@ -1 +1 @@\n-a\n+b\n' }] });
    for (let step = 1; step <= 1_200; step += 1) node.tell({ type: 'text.completed', ...turn, itemId: `x${step}`, text: `Line ${step}` });
    node.tell({
      type: 'turn.completed',
      ...turn,
      outcome: 'finished',
      durationMs: 2_500,
      usage: { inputTokens: 1_200, outputTokens: 30, costUsd: 0.02 },
    });
    const page = await world.openPage(`/agents/Worker?message=${id}`);
    const { token } = await owner.tokens.create({ name: 'ann', scopes: ['*'] });
    await using ann = createRelayClient({ url: relay.url, token });
    const looking = new AbortController();
    const heard: string[][] = [];
    const onWatchers: ActivityOptions['onWatchers'] = ({ watchers }) => heard.push(watchers.map(({ by }) => by));
    const looks = (async () => {
      for await (const { agentId } of ann.activity('Worker', { signal: looking.signal, onWatchers })) expect(agentId).toBe('Worker');
    })();
    await page.getByText('Also here: token:ann', { exact: true }).waitFor();
    await expect.poll(() => heard).toEqual([['owner']]);
    await ann.messages.send({ to: 'Worker', from: 'owner', body: 'Only src', mode: 'now' });
    await page.getByText('Steered by you, token:ann', { exact: true }).waitFor();
    looking.abort();
    await looks;
    await page.getByText('Also here: token:ann', { exact: true }).waitFor({ state: 'detached' });
    const activity = page.getByRole('log', { name: 'Activity' });
    const prompt = activity.locator('[data-block="prompt"]', { hasText: 'List the files' }).last();
    await prompt.waitFor();
    await activity.getByText('exit 2').click();
    await activity.getByText('$ ls src').waitFor();
    await activity.locator('[data-output]').getByText('no such folder').waitFor();
    await activity.getByText('Thought: They are in').click();
    await activity.locator('[data-block="reasoning"] strong', { hasText: 'src' }).waitFor();
    await activity.getByText('/srv/a.ts').click();
    await activity.locator('[data-diff] [class~="bg-good/10"]', { hasText: '+b' }).waitFor();
    await keepScreenshot(page, 'dashboard-prompt-of-message');
    await prompt.getByRole('link', { name: `message ${id}` }).click();
    await page.waitForURL(`**/messages/${id}`);
    await page.goto('/agents/Worker');
    await activity.getByText('2.5 s · 1.2K in · 30 out · $0.02').waitFor();

    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByRole('textbox', { name: 'Label' }).fill('the lister');
    await page.getByRole('textbox', { name: 'Tags' }).fill('files, ops');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('tag:files tag:ops').waitFor();
    expect(await owner.agents.get({ id: 'Worker' })).toMatchObject({ label: 'the lister', tags: ['files', 'ops'] });
  },
);

test.skipIf(!hasBrowser)(
  'a machine is let in by its code, renamed and removed; the overview says who is there, and Ctrl+K leads anywhere',
  async () => {
    await using world = await openDashboard();
    const { owner, ops, relay } = world;
    const page = await world.openPage('/');
    await page.getByText('Lend a machine to the relay').waitFor();
    await keepScreenshot(page, 'dashboard-first-run');
    const asked = await fetch(`${relay.url}/api/node-pairings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'attic', version: '0.1.0' }),
    });
    const { code } = (await asked.json()) as { readonly code: string };
    await page.goto('/fleet');
    await page.getByText('“attic” asks from').waitFor();
    await page.getByLabel('Code that the machine shows').fill(code.toLowerCase());
    await page.getByRole('button', { name: 'Let it in' }).click();
    const machine = page.locator('[data-node-id]', { hasText: 'attic' });
    await machine.waitFor();
    await page.getByRole('button', { name: 'Rename attic' }).click();
    await page.getByLabel('New name of attic').fill('cellar');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.getByRole('button', { name: 'Remove cellar' }).click();
    await page.getByRole('button', { name: 'Let cellar in no more' }).click();
    await page.locator('[data-node-id]').waitFor({ state: 'detached' });
    expect((await owner.nodes.list()).data).toEqual([]);

    await owner.agents.register({ name: 'Worker', status: 'busy', provider: 'codex' });
    const { task } = await ops.integrations.report({ title: 'Disk full', target: 'Worker' });
    const { fence } = await owner.tasks.claim({ id: task?.id ?? 0, agentId: 'Worker' });
    await owner.tasks.status({ id: task?.id ?? 0, agentId: 'Worker', fence, status: 'blocked' });
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to' }).fill('over');
    await page.keyboard.press('Enter');
    const there = page.getByRole('region', { name: 'Who is there' });
    await there.getByText('blocked in Disk full').waitFor();
    await page.getByRole('region', { name: 'Waits for you' }).getByText('task that is blocked').click();
    await page.waitForURL('**/tasks?status=blocked');
    const waiting = page.getByRole('region', { name: 'Waits for you' });
    await owner.agents.register({ name: 'Gone' });
    const { id: lost } = await owner.messages.send({ to: 'Gone', body: 'Are you there?' });
    const { id: left } = await owner.messages.send({ to: 'Gone', body: 'Hello?' });
    await owner.agents.remove({ id: 'Gone' });
    await owner.agents.register({ name: 'Gone' });
    await using node = await startAskingNode(relay, {});
    await owner.sessions.start({ provider: 'asker', name: 'Slow' });
    node.tell({ type: 'turn.started', turnId: 't' });
    node.tell({ type: 'agent.error', code: 'no_progress', message: 'It has said nothing for long', willRetry: true });
    await page.goto('/');
    await waiting.getByText('agent that has stalled').waitFor();
    await there.getByText('It has said nothing for long').waitFor();
    await expect.poll(() => page.title()).toBe('(3) Agent Relay');
    await waiting.getByText('messages that did not arrive').click();
    await page.waitForURL('**/messages?deadLetter=true');
    await page.getByRole('button', { name: `Send again message ${lost}` }).click();
    await page.locator(`[data-message-id="${lost}"]`).waitFor({ state: 'detached' });
    expect((await owner.inbox.list({ id: 'Gone', peek: true })).data.map(({ message }) => message.body)).toEqual(['Are you there?']);
    await page.getByRole('button', { name: `Dismiss message ${left}` }).click();
    await page.getByText('All that people wrote has arrived').waitFor();
    await page.goto('/');
    await waiting.getByText('agent that has stalled').click();
    await page.getByRole('navigation', { name: 'Agents' }).getByText('Slow', { exact: true }).waitFor();
    node.tell({ type: 'text.completed', turnId: 't', itemId: 'i', text: 'At last' });
    await page.getByText('No agent fits.').waitFor();
    await expect.poll(() => page.title()).toBe('Agent Relay');
    await page.goto('/fleet');
    await page.locator('[data-node-id]', { hasText: 'workshop' }).getByText('Runs one agent:').waitFor();

    await page.goto('/tasks?view=board');
    await page.getByRole('region', { name: 'blocked' }).getByText('lease ends').waitFor();
    await page.getByRole('button', { name: /^Colours: system/u }).click();
    expect(await page.evaluate('document.documentElement.style.colorScheme')).toBe('light');
    await page.reload();
    await page.getByRole('button', { name: /^Colours: light/u }).waitFor();
  },
);
