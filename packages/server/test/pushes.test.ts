import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Principal } from 'agent-relay-protocol';
import { type BrowserSubscription, FakePushService } from 'agent-relay-testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAddressGuard } from '../src/outbound/address-guard.ts';
import { HttpPostSender } from '../src/outbound/http-post-sender.ts';
import { pushEndpointFault } from '../src/outbound/push-endpoint.ts';
import { ensurePushKeys } from '../src/push-keys.ts';
import type { PushOutlet } from '../src/relay/push/pushes.ts';
import type { RelayCore } from '../src/relay/relay-core.ts';
import { createSessions } from '../src/relay/sessions/sessions.ts';
import { agentOf, codeOf, owner, World } from './core/world.ts';

const MINUTE_MS = 60_000;

let service: FakePushService;
let world: World;
let keyFile = '';

/** How pushes go out, to what is allowed beside the public internet. */
function outletTo(allowed: 'all' | readonly string[]): PushOutlet {
  const guard = createAddressGuard(allowed);
  return {
    sender: new HttpPostSender({ guard }),
    random: () => 0,
    keys: () => ensurePushKeys(keyFile),
    endpointFault: (endpoint) => pushEndpointFault(endpoint, guard),
  };
}

const open = (more: { push?: PushOutlet } = { push: outletTo('all') }): Promise<World> =>
  World.open(
    { staleTtlMs: 200_000_000, reapIntervalMs: 200_000_000 },
    Object.assign(more, { createSessions: (core: RelayCore) => createSessions(core) }),
  );

beforeEach(async () => {
  service = await FakePushService.start();
  world = await open();
  keyFile = join(world.folder, 'relay.db.push-key');
  await world.register('Worker', { withToken: true, instanceId: 'i1' }, owner);
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
});

type Topics = ('approvals' | 'stalls' | 'mail')[];
const subscribe = (principal: Principal = owner, topics: Topics = ['approvals', 'stalls', 'mail'], browser = service.subscribe()) =>
  Promise.resolve()
    .then(() => world.call['push/subscribe']({ ...browser, topics, label: 'phone' }, world.as(principal)))
    .then((told) => ({ ...told, browser }));
const devices = async (principal: Principal = owner) => (await world.call['push/list']({}, world.as(principal))).data;
const ask = (approvalId: string, more: object = {}) =>
  world.call['approvals/ask']({ id: 'Worker', approvalId, kind: 'execute', title: 'Bash: s3cret', ...more }, world.as(agentOf('Worker')));
const answer = (approvalId: string) => world.call['approvals/resolve']({ id: 'Worker', approvalId, outcome: 'deny' }, world.as(owner));
const titles = (of: BrowserSubscription | null = null) =>
  service.taken
    .filter(({ endpoint }) => of === null || endpoint === of.endpoint)
    .map(({ text }) => `${JSON.parse(text).title}: ${JSON.parse(text).body}`);

const tags = () => service.taken.map(({ text }) => JSON.parse(text).tag);

/** Time goes on a little with each look. */
const soon = <Value>(look: () => Value | Promise<Value>) =>
  expect.poll(async () => {
    world.clock.advance(100);
    return look();
  });
const pushes = () => world.relay.core.store.pushes;
/** When the push that waits is looked at next; null when none waits. */
const nextAt = () => pushes().nextDue('default', service.origin);
const person = async (name: string, more: object = {}): Promise<{ readonly principal: Principal; readonly tokenId: string }> => {
  const { token, tokenId } = await world.call['tokens/create']({ name, scopes: ['approvals:read'], ...more }, world.as(owner));
  const principal = await world.relay.authenticate(token);
  if (principal === null) throw new Error('a token that was made is good');
  return { principal, tokenId };
};

test('what an agent asks is pushed once to a person’s browser: signed by the relay’s key, readable by that browser alone, in no words of the agent', async () => {
  const { publicKey } = await world.call['push/key']({}, world.as(owner));
  const { browser, ...told } = await subscribe();
  expect(await devices()).toEqual([told]);
  expect(told).toEqual({
    id: expect.any(String),
    topics: ['approvals', 'stalls', 'mail'],
    label: 'phone',
    service: '127.0.0.1',
    createdAt: world.clock.now(),
    createdBy: 'owner',
  });
  await ask('q1');
  await soon(() => service.taken.length).toBe(1);
  const [push] = service.taken;
  expect(JSON.parse(push?.text ?? '')).toEqual({
    type: 'news',
    title: 'Worker asks',
    body: 'It wants to run a command',
    path: '/approvals',
    tag: 'approval/Worker/q1',
  });
  expect(push).toMatchObject({ endpoint: browser.endpoint, publicKey, urgency: 'high', topic: expect.stringMatching(/^[\w-]{32}$/u) });
  expect(push?.claims).toMatchObject({ aud: service.origin, sub: expect.stringMatching(/^mailto:/u) });
  expect((push?.claims.exp ?? 0) * 1000 - world.clock.now()).toBeLessThanOrEqual(24 * 60 * MINUTE_MS);
  expect(push?.ttlSeconds).toBeGreaterThan(0);
  expect(service.faults).toEqual([]);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  expect(JSON.stringify([await devices(), await world.events()])).not.toContain(browser.endpoint);
});

test('mail to the owner and stalls are pushed to who wants them, and nothing else', async () => {
  const mail = await subscribe(owner, ['mail']);
  const stalls = await subscribe(owner, ['stalls']);
  const { id } = await world.call['messages/send']({ from: 'Worker', to: 'owner', body: 's3cret' }, world.as(agentOf('Worker')));
  await ask('q1');
  await soon(() => titles(mail.browser)).toEqual([`Worker writes to you: Message ${id}`]);
  await world.call['messages/send']({ from: 'owner', to: 'Worker', body: 'hello' }, world.as(owner));
  world.clock.advance(3 * MINUTE_MS);
  await world.relay.reap();
  await soon(() => titles(stalls.browser)).toEqual(['Worker has stalled: A message waits unread']);
  await world.poll('Worker', agentOf('Worker'));
  await soon(() => titles(stalls.browser).at(-1)).toBe('Worker had stalled: It is over');
  expect(service.taken.length).toBe(3);
});

test('what is answered at once is not pushed, and what is answered elsewhere is replaced where it was', async () => {
  await subscribe();
  await ask('at-once');
  await answer('at-once');
  await ask('later');
  await soon(() => titles()).toEqual(['Worker asks: It wants to run a command']);
  await answer('later');
  await soon(() => titles()).toEqual(['Worker asks: It wants to run a command', 'Worker asked: It is denied, by owner']);
  expect(new Set(service.taken.map(({ topic }) => topic)).size).toBe(1);
  await expect.poll(nextAt).toBe(null);
});

test('nothing new is pushed to who looks at a page, on whatever device, until nobody does', async () => {
  await subscribe();
  const { principal } = await person('another');
  const other = await subscribe(principal);
  const look = (isLookedAt: boolean) => world.call['push/look']({ page: 'laptop', isLookedAt }, world.as(owner));
  await look(true);
  await ask('q1');
  await soon(() => titles(other.browser).length).toBe(1);
  await expect.poll(async () => ((await nextAt()) ?? 0) - world.clock.now()).toBeGreaterThan(10_000);
  expect(service.requests).toBe(1);
  await look(false);
  world.clock.advance(15_000);
  await soon(() => titles().length).toBe(2);
  // A page that was closed without a word is believed for a while, and not for ever.
  await look(true);
  await ask('q2');
  await soon(() => titles(other.browser).length).toBe(2);
  world.clock.advance(2 * MINUTE_MS);
  await soon(() => titles().length).toBe(4);
});

test('a push service that has no room is asked again, and one that knows the browser no more ends its subscription', async () => {
  const { id } = await subscribe();
  service.answer = { status: 429, headers: { 'retry-after': '30' } };
  await ask('q1');
  await soon(() => service.requests).toBe(1);
  await expect.poll(async () => ((await nextAt()) ?? 0) - world.clock.now()).toBeGreaterThan(29_000);
  service.answer = { status: 503 };
  world.clock.advance(31_000);
  await expect.poll(() => service.requests).toBe(2);
  expect((await devices()).map((device) => device.id)).toEqual([id]);
  service.answer = { status: 410 };
  await soon(devices).toEqual([]);
  await expect.poll(() => pushes().origins('default')).toEqual([]);
  service.answer = null;
  await ask('q2');
  await subscribe();
  await ask('q3');
  await soon(tags).toEqual(['approval/Worker/q3']);
});

test('a subscription ends in the commit that ends its token, and is its person’s alone; the owner takes any out', async () => {
  const [ann, ben] = [await person('ann'), await person('ben')];
  const [anns, bens] = [await subscribe(ann.principal), await subscribe(ben.principal)];
  expect((await devices(ann.principal)).map(({ id, createdBy }) => [id, createdBy])).toEqual([[anns.id, 'token:ann']]);
  expect(await codeOf(Promise.resolve().then(() => world.call['push/unsubscribe']({ id: bens.id }, world.as(ann.principal))))).toBe(
    'not_found',
  );
  await world.call['tokens/revoke']({ id: ben.tokenId }, world.as(owner));
  expect((await devices()).map(({ id }) => id)).toEqual([anns.id]);
  await ask('q1');
  await soon(() => service.taken.map(({ endpoint }) => endpoint)).toEqual([anns.browser.endpoint]);
  await world.call['push/unsubscribe']({ id: anns.id }, world.as(owner));
  expect(await devices(ann.principal)).toEqual([]);
});

test('who may not see what an agent asks is not told of it', async () => {
  const narrowed = await person('narrowed', { targets: ['id:Another'] });
  const whole = await person('whole');
  await subscribe(narrowed.principal, ['approvals']);
  const told = await subscribe(whole.principal, ['approvals']);
  await ask('q1');
  await ask('q2');
  await soon(() => titles(told.browser).length).toBe(2);
  expect(service.requests).toBe(2);
});

test('agents, channels, programs without a token and links have no devices', async () => {
  await world.register('tg', { kind: 'channel', transport: 'test' }, owner);
  const { token } = await world.call['tokens/create']({ name: 'tg', kind: 'channel', agentId: 'tg' }, world.as(owner));
  const channel = (await world.relay.authenticate(token)) ?? owner;
  for (const principal of [agentOf('Worker'), channel]) expect(await codeOf(subscribe(principal))).toBe('forbidden');
  expect(await codeOf(subscribe({ type: 'anonymous', workspace: 'default' }))).toBe('unauthorized');
});

test('the same browser again changes what it is told of, and of many devices of a person the oldest go', async () => {
  const first = await subscribe();
  const again = await subscribe(owner, ['mail'], first.browser);
  expect(again).toMatchObject({ id: first.id, topics: ['mail'] });
  const later: string[] = [];
  for (let count = 0; count < 20; count += 1) later.push((await subscribe()).id);
  expect((await devices()).map(({ id }) => id).sort()).toEqual(later.sort());
});

test('only what is a browser at a push service outside can be told', async () => {
  const { endpoint, keys } = service.subscribe();
  const refused = (more: object) =>
    codeOf(Promise.resolve().then(() => world.call['push/subscribe']({ endpoint, keys, topics: ['mail'], ...more }, world.as(owner))));
  expect(await refused({ keys: { ...keys, p256dh: `BC${'A'.repeat(85)}` } })).toBe('validation_failed');
  await using strict = await open({ push: outletTo([]) });
  const inside = (address: string) =>
    codeOf(Promise.resolve().then(() => strict.call['push/subscribe']({ endpoint: address, keys, topics: ['mail'] }, strict.as(owner))));
  for (const address of [endpoint, 'https://10.0.0.1/x', 'http://push.example/x'])
    expect([address, await inside(address)]).toEqual([address, 'validation_failed']);
  // A name is looked at when it is resolved: this one leads to this machine.
  await strict.register('Worker');
  await strict.call['push/subscribe'](
    { endpoint: endpoint.replace('http://127.0.0.1', 'https://localhost'), keys, topics: ['mail'] },
    strict.as(owner),
  );
  await strict.send('Worker', 'owner');
  const origin = service.origin.replace('http://127.0.0.1', 'https://localhost');
  await expect
    .poll(async () => {
      strict.clock.advance(100);
      const [next, now] = [await strict.relay.core.store.pushes.nextDue('default', origin), strict.clock.now()];
      return next !== null && next - now > 5_000;
    })
    .toBe(true);
  expect(service.requests).toBe(0);
});

test('a relay that starts again sends what waits, and tells nobody of it a second time', async () => {
  await subscribe();
  service.answer = { status: 503 };
  await ask('q1');
  await soon(() => service.requests).toBe(1);
  await world.restart();
  service.answer = null;
  await soon(tags).toEqual(['approval/Worker/q1']);
  // That it was taken is written after it was.
  await soon(nextAt).toBe(null);
  await world.restart();
  await ask('q2');
  await soon(tags).toEqual(['approval/Worker/q1', 'approval/Worker/q2']);
});

test('what was written to the log and not read from it for pushes is pushed by the next relay, unless it is old by then', async () => {
  const more: { push?: PushOutlet } = {};
  await using later = await open(more);
  const told = service.subscribe();
  const restart = async (push: PushOutlet | null) => {
    delete more.push;
    if (push !== null) more.push = push;
    await later.restart();
  };
  await restart(outletTo('all'));
  await later.call['push/subscribe']({ ...told, topics: ['mail'] }, later.as(owner));
  await restart(null);
  await later.register('Writer');
  await later.send('Writer', 'owner', 'too old');
  later.clock.advance(11 * MINUTE_MS);
  const { id } = await later.send('Writer', 'owner', 'new');
  await restart(outletTo('all'));
  await expect
    .poll(() => {
      later.clock.advance(100);
      return tags();
    })
    .toEqual([`message/${id}`]);
});

test('another key of the relay tells nobody who subscribed to the one before, and none of these is said to be told', async () => {
  const before = await subscribe();
  keyFile = join(world.folder, 'another');
  expect(await devices()).toEqual([]);
  const later = await subscribe();
  expect((await devices()).map(({ id }) => id)).toEqual([later.id]);
  expect((await pushes().subscribers('default')).map(({ id }) => id)).not.toContain(before.id);
  await ask('q1');
  await soon(() => service.taken.map(({ endpoint }) => endpoint)).toEqual([later.browser.endpoint]);
});

test('whoever comes to a browser of somebody else is told nothing of what waited there for them', async () => {
  const owners = await subscribe();
  service.answer = { status: 503 };
  await ask('q1');
  await soon(() => service.requests).toBe(1);
  const { principal } = await person('narrowed', { targets: ['id:Another'] });
  const theirs = await subscribe(principal, ['approvals'], owners.browser);
  expect(await pushes().origins('default')).toEqual([]);
  expect((await devices()).map(({ id, createdBy }) => [id, createdBy])).toEqual([[theirs.id, 'token:narrowed']]);
});

test('what waits for the owner goes on where they subscribe the same browser under another session', async () => {
  const { code } = await world.relay.core.tokens.issueLoginCode('default');
  const session = await world.relay.core.tokens.exchangeLoginCode(code);
  const signedIn = await world.relay.core.tokens.authenticate(session?.token ?? '', 'browser');
  const before = await subscribe();
  service.answer = { status: 503 };
  await ask('q1');
  await soon(() => service.requests).toBe(1);
  if (signedIn === null) throw new Error('a session that began is good');
  expect((await subscribe(signedIn, ['approvals'], before.browser)).id).toBe(before.id);
  expect(await pushes().origins('default')).toEqual([service.origin]);
});

test('a device of a credential that is good no more after a restart is taken out', async () => {
  const more: { push: PushOutlet; ownerTokens?: readonly string[] } = { push: outletTo('all') };
  await using later = await open(more);
  const subscribed = { ...service.subscribe(), topics: ['mail' as const] };
  await later.call['push/subscribe'](subscribed, later.as(owner));
  const listed = async () => (await later.call['push/list']({}, later.as(owner))).data.length;
  await later.relay.reap();
  expect(await listed()).toBe(1);
  more.ownerTokens = ['another credential of the owner'];
  await later.restart();
  await later.relay.reap();
  expect(await listed()).toBe(0);
});

test('where no key for pushes can be read or made it is said so, and nothing is touched', async () => {
  const key = () => codeOf(Promise.resolve().then(() => world.call['push/key']({}, world.as(owner))));
  keyFile = join(world.folder, 'folder');
  mkdirSync(keyFile, { mode: 0o755 });
  expect(await key()).toBe('store_unavailable');
  expect(statSync(keyFile).mode & 0o777).toBe(0o755);
  keyFile = join(world.folder, 'garbled');
  writeFileSync(keyFile, 'no key');
  expect(await key()).toBe('store_unavailable');
  keyFile = join(world.folder, 'link');
  symlinkSync(join(world.folder, 'nowhere', 'key'), keyFile);
  expect(await key()).toBe('store_unavailable');
  keyFile = join(world.folder, 'nowhere', 'key');
  expect(await key()).toBe('store_unavailable');
  expect(await devices()).toEqual([]);
});
