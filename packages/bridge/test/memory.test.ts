import { expect, test } from 'vitest';
import { OpenTools } from '../src/agent-ws/open-tools.ts';
import { Journal } from '../src/sessions/journal.ts';
import { connect, startBridge } from './bridge-world.ts';

test('what tools are given is weighed: of a long turn no more is kept than of a long text', async () => {
  const { url } = await startBridge();
  const [controller, observer] = [await connect(`${url}?version=1.2`), await connect(`${url}?version=1.2`)];
  observer.send({ type: 'attach', projectId: 'p' });
  const { sessionId } = await observer.next(({ type }) => type === 'attached');
  controller.send({ type: 'prompt', prompt: 'tools 100', requestId: 'r1', projectId: 'p' });
  expect(await controller.end('r1')).toMatchObject({ type: 'complete' });
  expect(controller.frames.filter(({ type }) => type === 'tool_event')).toHaveLength(200);
  const late = await connect(`${url}?version=1.2`);
  late.send({ type: 'attach', sessionId, after: 0 });
  expect(await late.next(({ type }) => type === 'gap')).toMatchObject({ sessionId });
  await late.end('r1');
  // Four million characters and a quarter, of 300 kB each.
  expect(late.frames.filter(({ input }) => input !== undefined).length).toBeLessThan(18);
});

test('large entries go when their weight is too much, be they few', () => {
  const journal = new Journal<number>({ keep: 1_000 });
  for (let at = 1; at <= 20; at++) journal.push(at, 900);
  const { entries, missed } = journal.take(journal.open(0, false), 100);
  expect(entries.map(({ frame }) => frame)).toEqual([19, 20]);
  expect(missed).toBe(18);
  const more = new Journal<number>({ lag: 1_000 });
  for (let at = 1; at <= 9; at++) more.push(at, 900);
  expect(more.take(more.open(0, false), 100).entries).toHaveLength(2);
});

test('what tools were given is repeated at their end, of those that were begun last', () => {
  const tools = new OpenTools();
  for (let at = 0; at < 30; at++) tools.add({ toolName: 'Bash', toolId: `t${at}`, input: 'x'.repeat(300_000) });
  expect(tools.take('t0')).toBeUndefined();
  expect(tools.take('t29')).toMatchObject({ toolId: 't29', input: expect.any(String) });
  for (let at = 0; at < 2_000; at++) tools.add({ toolName: 'Read', toolId: `s${at}` });
  expect([tools.take('s0'), tools.take('s1999')]).toEqual([undefined, { toolName: 'Read', toolId: 's1999' }]);
});
