import type { AgentEvent, Principal, RouteInput, SearchHit, Session } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { until, World } from './core/world.ts';
import { as, FarNode, owner, SessionWorld, workspace } from './session-world.ts';

let world: SessionWorld;
let node: FarNode;
let session: Session;
let nextSeq: number;
beforeEach(async () => {
  world = await SessionWorld.open();
  node = new FarNode();
  await world.attach(node);
  session = await world.start('Worker');
  nextSeq = 1;
});
afterEach(() => world.close());

const did = (...events: AgentEvent[]) =>
  world.relay.nodeHandlers['activity/append'](
    { sessionId: session.sessionId, entries: events.map((event) => ({ seq: nextSeq++, at: world.clock.at, event })) },
    { ...as(owner), link: node },
  );
const said = (text: string): AgentEvent => ({ type: 'text.completed', turnId: 't', itemId: 'i', text });
const send = async (body: string, over: object = {}) =>
  (await world.relay.handlers['messages/send']({ to: 'Worker', body, ...over }, as(owner))).id;
const search = (input: RouteInput<'search/find'>, principal: Principal = owner) =>
  Promise.resolve(world.relay.handlers['search/find'](input, as(principal)));
const hits = async (input: RouteInput<'search/find'>, principal?: Principal) => (await search(input, principal)).data;
const textOf = ({ snippet }: SearchHit) => snippet.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join('');
const texts = async (input: RouteInput<'search/find'>, principal?: Principal) => (await hits(input, principal)).map(textOf);

it('finds messages and activity by their words in any form, newest first, and shows where', async () => {
  await send('The build has an error in auth.ts');
  world.clock.at += 1;
  await did(said('I found two errors and mended them'));
  world.clock.at += 1;
  await send('Thanks', { subject: 'Errors' });
  expect(await texts({ text: 'error' })).toEqual([
    '[Errors]\nThanks',
    'I found two [errors] and mended them',
    'The build has an [error] in auth.ts',
  ]);
  expect(await texts({ text: 'error', in: 'messages' })).toHaveLength(2);
  expect(await texts({ text: '"an error"' })).toEqual(['The build has [an error] in auth.ts']);
  expect(await texts({ text: 'error -build -thanks' })).toEqual(['I found two [errors] and mended them']);
  expect(await texts({ text: 'error nothing' })).toEqual([]);
});

it('narrows by agent, session, type, tool, file and time', async () => {
  await did(
    { type: 'tool.started', turnId: 't', itemId: 'a', name: 'Bash', kind: 'execute', title: 'Run', input: { command: 'npm test' } },
    { type: 'tool.started', turnId: 't', itemId: 'b', name: 'Read', kind: 'read', title: 'Read', input: { path: 'npm.md' } },
    { type: 'file.changed', changes: [{ path: '/home/ada/src/auth.ts', change: 'updated', diff: '+ npm' }] },
    { type: 'file.changed', changes: [{ path: '/home/ada/src/author.ts', change: 'added' }] },
  );
  await send('npm is down', { kind: 'task' });
  const found = async (input: RouteInput<'search/find'>) =>
    (await hits(input)).map((hit) => (hit.in === 'messages' ? hit.from : (hit.tool ?? hit.files.map(({ path }) => path).join())));
  expect(await found({ text: 'npm', tool: 'Bash' })).toEqual(['Bash']);
  expect(await found({ type: 'file.changed' })).toEqual(['/home/ada/src/author.ts', '/home/ada/src/auth.ts']);
  expect(await found({ file: 'src/auth.ts' })).toEqual(['/home/ada/src/auth.ts']);
  expect(await found({ file: '/home/ada/src' })).toHaveLength(2);
  expect(await found({ text: 'npm', type: 'task' })).toEqual(['owner']);
  expect(await found({ text: 'npm', session: session.sessionId })).toHaveLength(3);
  expect(await found({ text: 'npm', agent: 'Worker' })).toHaveLength(4);
  await expect(found({ text: 'npm', agent: 'Wroker' })).rejects.toMatchObject({ code: 'not_found', details: { near: 'Worker' } });
  const { at } = world.clock;
  expect(await found({ text: 'npm', sinceAt: at, untilAt: at })).toHaveLength(4);
  expect(await found({ text: 'npm', sinceAt: at + 1 })).toEqual([]);
  expect(await found({ text: 'npm', untilAt: at - 1 })).toEqual([]);
});

it('pages without a gap or a double, over both kinds', async () => {
  for (let round = 0; round < 30; round += 1) {
    await send(`word ${round}`);
    if (round % 3 === 0) await did(said(`word of ${round}`));
    world.clock.at += 1;
  }
  const seen: string[] = [];
  for (let before: string | undefined, isFirst = true; isFirst || before !== undefined; isFirst = false) {
    const page = await search({ text: 'word', limit: 7, ...(before !== undefined && { before }) });
    expect(page.data.length).toBeLessThanOrEqual(7);
    seen.push(...page.data.map(({ in: kind, id }) => `${kind}${id}`));
    before = page.nextCursor;
  }
  expect([seen.length, new Set(seen).size]).toEqual([40, 40]);
});

it('finds for each caller what that one may read', async () => {
  const register = (id: string) => world.relay.handlers['agents/register']({ id, name: id }, as(owner));
  await register('Ada');
  await register('Eve');
  await world.relay.handlers['messages/send']({ from: 'Ada', to: 'id:Worker', body: 'the secret plan' }, as(owner));
  await did(said('the secret is safe'));
  const agent = (agentId: string, epoch = 1): Principal => ({ type: 'agent', workspace, agentId, epoch });
  expect(await texts({ text: 'secret' })).toHaveLength(2);
  expect(await texts({ text: 'secret' }, agent('Ada'))).toEqual(['the [secret] plan']);
  expect(await texts({ text: 'secret' }, agent('Eve'))).toEqual([]);
  expect((await hits({ text: 'secret' }, agent('Worker'))).map((hit) => hit.in)).toContain('messages');
});

it('forgets what is deleted, and what is pruned', async () => {
  const id = await send('a slip of the tongue');
  await did(said('a slip of mine'));
  expect(await texts({ text: 'slip' })).toHaveLength(2);
  await world.relay.handlers['messages/remove']({ id }, as(owner));
  expect(await texts({ text: 'slip' })).toEqual(['a [slip] of mine']);
  world.clock.at += 31 * 86_400_000;
  await world.relay.reap();
  expect(await texts({ text: 'slip' })).toEqual([]);
  expect(world.store.search.behind()).toBe(0);
});

it('finds what was written before a restart', async () => {
  await send('before the night');
  world = await world.restart();
  expect(await texts({ text: 'night' })).toEqual(['before the [night]']);
});

it('is filled while nothing else is written, without anybody asking', async () => {
  await using quiet = await World.open();
  for (const id of ['a', 'b']) await quiet.register(id);
  await quiet.send('b', 'id:a', 'in the background');
  const { search: index } = quiet.relay.core.store;
  expect(index.behind()).toBe(1);
  await until(async () => {
    quiet.clock.advance(600);
    return index.behind() === 0;
  });
});

it('what another workspace says is not found in this one, and hides nothing of it', async () => {
  const elsewhere: Principal = { type: 'owner', workspace: 'elsewhere' };
  await send('ours, the first');
  for (let round = 0; round < 60; round += 1) {
    await world.relay.handlers['messages/send']({ to: 'id:Someone', body: 'the first of theirs' }, as(elsewhere));
    if (round % 20 === 0) await send(`ours ${round}, not the first`);
  }
  const ours = ['ours 40, not the [first]', 'ours 20, not the [first]', 'ours 0, not the [first]', 'ours, the [first]'];
  expect(await texts({ text: 'first' })).toEqual(ours);
  expect(new Set(await texts({ text: 'first' }, elsewhere))).toEqual(new Set(['the [first] of theirs']));
});

it('takes about as long as the texts are, however often they have what is looked for', async () => {
  for (let round = 0; round < 20; round += 1) await send('a '.repeat(16_000));
  // A search waits for the index only for a moment, and these are large.
  await expect.poll(async () => (await search({ text: 'nothing' })).behind, { timeout: 10_000 }).toBe(0);
  const { data } = await search({ text: 'a', limit: 20 });
  expect(data).toHaveLength(20);
  expect(textOf(data[0] as SearchHit)).toMatch(/^\[a\] \[a\] .*…$/u);
  const together = await search({ text: `"${'a '.repeat(8)}"`, limit: 20 });
  expect(together.data).toHaveLength(20);
});

it('what stands together is found as it stands, and what must not stand so is left out', async () => {
  await send('build the error page');
  await send('a build error');
  expect(await texts({ text: '"build error"' })).toEqual(['a [build error]']);
  expect(await texts({ text: 'build -"build error"' })).toEqual(['[build] the error page']);
  await did({ type: 'file.changed', changes: [{ path: '/w/auth/src.ts', change: 'added' }] });
  expect(await texts({ file: 'src/auth.ts' })).toEqual([]);
  expect(await texts({ file: 'auth/src.ts' })).toHaveLength(1);
});

it('of many words all are looked for, also those that the index is not asked for', async () => {
  const words = Array.from({ length: 15 }, (_, index) => String.fromCharCode(97 + index).repeat(3 + index));
  await send(words.join(' '));
  await send(words.slice(1).join(' '));
  await send(words.toReversed().join(' '));
  expect(await hits({ text: words.join(' ') })).toHaveLength(2);
  expect(await hits({ text: words.join(' ').toUpperCase() })).toHaveLength(2);
  expect(await hits({ text: `"${words.slice(0, 8).join(' ')}" ${words.slice(8).join(' ')}` })).toHaveLength(1);
  expect(await hits({ text: `${words.slice(1).join(' ')} -aaa` })).toHaveLength(1);
  expect(await hits({ text: `${words.slice(1).join(' ')} -"ccccc bbbb"` })).toHaveLength(2);
  await did({ type: 'file.changed', changes: [{ path: `/${words.join('/')}`, change: 'added' }] });
  expect(await hits({ file: words.join('/') })).toHaveLength(1);
  expect(await hits({ file: words.toReversed().join('/') })).toEqual([]);
});

it('a piece of the index is small, though a row is large', async () => {
  for (let round = 0; round < 5; round += 1) await did(said('x'.repeat(100_000)));
  const before = world.store.search.behind();
  expect(await world.store.search.index()).toBe(true);
  expect(world.store.search.behind()).toBe(before - 1);
});

it('whoever is gone is looked for no further, and nothing is left out by that', async () => {
  for (let round = 0; round < 5; round += 1) await send(`word ${round}`);
  const page = await world.relay.handlers['search/find']({ text: 'word' }, { principal: owner, signal: AbortSignal.abort() });
  expect(page.data).toHaveLength(1);
  const rest = await search({ text: 'word', before: page.nextCursor });
  expect(rest.data).toHaveLength(4);
});

it('a snippet cuts no character in two', async () => {
  await send(`x${'😀'.repeat(300)}`);
  const [hit] = await hits({ agent: 'Worker' });
  expect(textOf(hit as SearchHit).isWellFormed()).toBe(true);
});

test.each([
  [{ text: '***' }, 'text'],
  [{ text: 'a b c d e f g h i j k l m n o p q' }, 'text'],
  [{ text: '"a b c d e f g h i"' }, 'text'],
  [{ file: '//' }, 'file'],
] as const)('%j is refused by the name of its field', async (input, path) => {
  await expect(search(input)).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path }] });
});

test.each(['"', '""', 'a"b', 'NEAR(a b)', 'a AND', 'text : a', '{a} b', '-', 'a -', '^a', 'a*', "a'); DROP", '\u0000 a', '(', 'ä ö'])(
  'no text is a bug: %j',
  async (text) => {
    await send('a b text drop ä ö near and');
    const outcome = await search({ text }).then(
      ({ data }) => data.length,
      (error: { code?: string }) => error.code,
    );
    expect(outcome === 'validation_failed' || typeof outcome === 'number').toBe(true);
  },
);

it('shows a control character of a text as a space, so that none passes for a mark of what was found', async () => {
  await send('left \u0002 middle \u0003 right');
  expect(await hits({ text: 'middle' })).toMatchObject([
    {
      snippet: [
        { text: 'left   ', isMatch: false },
        { text: 'middle', isMatch: true },
        { text: '   right', isMatch: false },
      ],
    },
  ]);
});
