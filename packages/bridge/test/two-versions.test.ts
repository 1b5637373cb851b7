import { expect, test } from 'vitest';
import { connect, startBridge } from './bridge-world.ts';

const prompt = (requestId: string, text: string) => ({ type: 'prompt', prompt: text, requestId, projectId: 'p' });

test('a project that a client of 1.2 controls takes no prompts of 1.1', async () => {
  const { url } = await startBridge();
  const [controller, old] = [await connect(`${url}?version=1.2`), await connect(url)];
  controller.send({ type: 'attach', projectId: 'p', role: 'controller' });
  await controller.next(({ type }) => type === 'attached');
  old.send(prompt('a', 'say x'));
  expect(await old.end('a')).toMatchObject({ type: 'error', message: 'This project is controlled by another connection' });
  controller.socket.terminate();
  await expect
    .poll(async () => {
      old.send(prompt('b', 'say x'));
      return (await old.end('b'))['type'];
    })
    .toBe('complete');
});

test('a client of 1.1 that does not read holds its project up no longer than its prompt may take', async () => {
  const { url, claude } = await startBridge({ timeoutMs: 3_000 });
  const [deaf, other] = [await connect(url), await connect(url)];
  deaf.socket.pause();
  deaf.send(prompt('a', 'stream 40000'));
  await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
  let tries = 0;
  await expect
    .poll(async () => {
      tries += 1;
      other.send(prompt(`b${tries}`, 'stream 1000'));
      return (await other.end(`b${tries}`))['type'];
    })
    .toBe('complete');
});
