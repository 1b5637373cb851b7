import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Message, RouteOutput } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay } from '../../server/src/testing.ts';
import { Api, until, World } from './link-world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

test('a machine’s hooks are its own: the relay lists them, has one tried by its name, and gets their mail and results', async () => {
  const relay = await startTestRelay();
  world.onClose(() => relay.close());
  const api = new Api(relay.url, relay.ownerToken);
  const hooksFile = join(world.folder, 'agent-relay.yaml');
  const write = (text: string) => writeFileSync(hooksFile, `hooks:\n  scripted:\n    on_turn_complete:\n${text}`, { mode: 0o600 });
  write('      - { name: tell, relay: "#audit" }\n');
  await world.node(relay.url, relay.ownerToken, { hooksFile });
  await api.nodeOnline();
  const hooks = () => api.call<RouteOutput<'hooks/describe'>>('GET', '/hooks');
  const described = await hooks();
  expect(described.hooks).toMatchObject([{ name: 'tell', agents: 'scripted', trigger: 'turn_complete', action: 'relay', does: '#audit' }]);
  expect(described.sources).toMatchObject([{ nodeId: null }, { name: 'laptop', file: hooksFile, fault: null }]);

  const cwd = realpathSync(world.folder);
  for (const name of ['Worker', 'Other']) await api.spawn(name, { cwd });
  const prompts = world.provider.prompts.length;
  await api.send('Worker', 'work');
  const mail = () => api.call<{ data: Message[] }>('GET', '/messages?channel=audit').then(({ data }) => data);
  await until(async () =>
    expect(await mail()).toMatchObject([{ from: 'Worker', kind: 'hook', mode: 'fyi', sender: { relation: 'peer' } }]),
  );
  await until(async () => {
    const results = (await api.activity('Worker')).flatMap(({ event }) => (event.type === 'hook.completed' ? [event] : []));
    expect(results).toMatchObject([{ hook: 'tell', outcome: 'succeeded' }]);
  });
  // It begins no turn of the others, who would set it off again.
  expect(world.provider.prompts.slice(prompts).filter(({ mode }) => mode !== 'fyi')).toHaveLength(1);

  write(`      - { name: count, command: [echo, "\${text}"] }\n`);
  const tried = await api.call('POST', '/hooks/test', { name: 'count', fields: { text: '$(id) now' } });
  expect(tried).toMatchObject({ hook: 'count', outcome: 'succeeded', output: '$(id) now\n' });
  await expect(api.call('POST', '/hooks/test', { name: 'tell' })).rejects.toMatchObject({ code: 'not_found' });
  write('      - { name: count, comand: x }\n');
  const after = await hooks();
  expect(after.hooks.map(({ name }) => name)).toEqual(['count']);
  expect(after.sources.find(({ name }) => name === 'laptop')?.fault).toContain('agent-relay.yaml:4: hooks.scripted.on_turn_complete[0]');
});
