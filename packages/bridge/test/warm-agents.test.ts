import { expect, test } from 'vitest';
import { connect, startBridge } from './bridge-world.ts';

test('a connection that goes through many projects keeps the agents of the last ones, and every conversation', async () => {
  const { url, claude } = await startBridge();
  const client = await connect(url);
  const ask = async (project: number) => {
    client.send({ type: 'prompt', prompt: 'say x', requestId: `r${project}`, projectId: `p${project}` });
    expect(await client.end(`r${project}`)).toMatchObject({ type: 'complete' });
  };
  for (let project = 0; project < 20; project++) await ask(project);
  await expect.poll(() => claude.sessions.length - claude.closedCount).toBeLessThanOrEqual(9);
  await ask(19);
  expect(claude.starts).toHaveLength(20);
  await ask(0);
  expect(claude.starts[20]?.resume).toBe(claude.sessions[0]?.vendorSessionId);
});
