import { CodexAppServer, CodexClient } from 'agent-relay-codex-app-server';
import { expect, test } from 'vitest';
import { LiveSession } from '../src/live/live-session.ts';
import { sentTo, startBench } from './bench.ts';

const clientInfo = { name: 'test', version: '1' };

test('a conversation that could not be told who it is, is told with the next try, and gets its mail', async () => {
  await using bench = await startBench();
  const { env, home, command, owner, model } = bench;
  await using server = await CodexAppServer.start({ command, env });
  await using person = await CodexClient.connect(server.endpoint, { clientInfo });
  await using client = await CodexClient.connect(server.endpoint, { clientInfo });
  const thread = await person.startThread({ cwd: home.workFolder });
  await thread.startTurn({ text: 'say: here', clientUserMessageId: 'typed' });
  await expect.poll(() => thread.activeTurnId).toBeUndefined();
  const threadId = thread.id;
  person.forgetThread(threadId);
  await person.request('thread/archive', { threadId });
  const told: string[] = [];
  const session = new LiveSession({ client, threadId, cwd: home.workFolder, env, isActive: false, tell: (what) => told.push(what) });
  try {
    await expect.poll(async () => (await owner.agents.list({})).data.map(({ id }) => id)).toContain(session.agentId);
    const { id } = await owner.messages.send({ to: `id:${session.agentId}`, body: 'say: mail', mode: 'now' });
    await expect.poll(() => told).not.toEqual([]);
    await person.request('thread/unarchive', { threadId });
    await person.resumeThread(threadId);
    await expect.poll(async () => (await owner.messages.deliveries({ id })).data[0]?.state).toBe('seen');
    expect(sentTo(model)).toMatch(/Agent Relay active[\s\S]*\[msg:/u);
  } finally {
    await session.close();
  }
});
