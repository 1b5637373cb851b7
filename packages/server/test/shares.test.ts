import { writeFileSync } from 'node:fs';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { ActivityEntry, AgentEvent, Principal, Session } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { as, FarNode, owner, ownerToken, SessionWorld, workspace } from './session-world.ts';
import { attachNode } from './support/fake-node.ts';
import { rawRequest } from './support/raw-http.ts';
import { agentRelay } from './support/run-command.ts';

const DAY_MS = 86_400_000;
const said = (text: string): AgentEvent => ({ type: 'text.completed', turnId: 't', itemId: 'i', text });
const textsOf = (entries: readonly ActivityEntry[]) => entries.map(({ event }) => ('text' in event ? event.text : event.type));

describe('a link to the log of one session', () => {
  let world: SessionWorld;
  let node: FarNode;
  let session: Session;
  beforeEach(async () => {
    world = await SessionWorld.open();
    node = new FarNode();
    await world.attach(node);
    session = await world.start('Worker');
  });
  afterEach(() => world.close());

  let seq = 0;
  beforeEach(() => {
    seq = 0;
  });
  const tell = async ({ sessionId }: Session, events: readonly AgentEvent[], from = seq) => {
    const entries = events.map((event, index) => ({ seq: from + index + 1, at: 1, event }));
    if (sessionId === session.sessionId) seq = from + events.length;
    await world.relay.nodeHandlers['activity/append']({ sessionId, entries }, { ...as(owner), link: node });
  };
  const share = (over: object = {}) => Promise.resolve(world.relay.handlers['shares/create']({ agentId: 'Worker', ...over }, as(owner)));
  const bearer = async (code: string): Promise<Principal> => {
    const principal = await world.relay.authenticate(code);
    if (principal === null) throw new Error('unauthorized');
    return principal;
  };
  const page = async (principal: Principal, over: object = {}) =>
    (await world.relay.handlers['agents/activity']({ id: 'Worker', ...over }, as(principal))).data;
  /** What it shows live, as it comes, and how that ended. */
  const follow = async (principal: Principal) => {
    const stop = new AbortController();
    const seen: ActivityEntry[] = [];
    const { batches } = await world.relay.openActivity({ id: 'Worker', after: 0 }, { principal, signal: stop.signal });
    const ended = (async () => {
      for await (const batch of batches) if ('entries' in batch) seen.push(...batch.entries);
    })().then(
      () => 'ended',
      (error: { code: string }) => error.code,
    );
    return { seen, ended, stop: () => stop.abort() };
  };
  const again = async () => {
    await world.relay.nodeHandlers['sessions/report']({ sessionId: session.sessionId, status: 'ended' }, { ...as(owner), link: node });
    return world.start('Worker');
  };

  test('shows who it was and what it did, by page and live, and nothing of the sessions before and after', async () => {
    await tell(session, [said('first')]);
    const { code } = await share();
    const reader = await bearer(code);
    expect(await world.relay.handlers['shared/get']({}, as(reader))).toEqual({
      agentId: 'Worker',
      label: null,
      provider: 'claude',
      sessionId: session.sessionId,
      status: 'running',
      startedAt: session.startedAt,
      endedAt: null,
      expiresAt: world.clock.now() + 7 * DAY_MS,
    });
    const live = await follow(reader);
    await tell(session, [said('second')]);
    await expect.poll(() => textsOf(live.seen)).toEqual(['first', 'second']);
    const next = await again();
    await tell(next, [said('of the next session')], 0);
    await tell(session, [said('late')]);
    await expect.poll(() => textsOf(live.seen)).toEqual(['first', 'second', 'late']);
    live.stop();
    expect(textsOf(await page(reader))).toEqual(['first', 'second', 'late']);
    expect(textsOf(await page(reader, { newest: true, limit: 1 }))).toEqual(['late']);
    await expect(page(reader, { session: next.sessionId })).rejects.toMatchObject({ code: 'not_found' });
    await expect(page(reader, { id: 'Nobody' })).rejects.toMatchObject({ code: 'not_found', message: 'This link does not show that' });
    expect(textsOf(await page(await bearer((await share({ sessionId: next.sessionId })).code)))).toEqual(['of the next session']);
  });

  test('shows no token of the relay, whole or in pieces, and nothing that people are asked', async () => {
    const { code } = await share();
    const reader = await bearer(code);
    const live = await follow(reader);
    const secret = `owner_${'s'.repeat(43)}`;
    await tell(session, [
      { type: 'user.message', text: `act as ar_session_${'x'.repeat(43)}, or ${code}.` },
      {
        type: 'tool.started',
        turnId: 't',
        itemId: 'i',
        name: 'Bash',
        kind: 'execute',
        title: `curl ${secret}`,
        input: { [secret]: [secret, 1, null] },
      },
      { type: 'approval.requested', approvalId: 'a', kind: 'execute', title: 'rm -rf', input: {}, options: [] },
    ]);
    const pieces: AgentEvent[] = [
      { type: 'text.delta', turnId: 't', itemId: 'i', text: secret.slice(0, 20) },
      { type: 'tool.updated', turnId: 't', itemId: 'i', output: secret.slice(20) },
    ];
    world.relay.nodeLive({ sessionId: session.sessionId, at: 2, events: pieces }, as({ type: 'node', workspace, nodeId: 'local' }));
    await tell(session, [said('done')]);
    await expect.poll(() => textsOf(live.seen)).toContain('done');
    live.stop();
    const shown = await page(reader);
    expect(live.seen).toEqual(shown);
    expect(shown.map(({ event }) => event)).toEqual([
      { type: 'user.message', text: 'act as [a token, hidden], or [a token, hidden].' },
      expect.objectContaining({ title: 'curl [a token, hidden]', input: { '[a token, hidden]': ['[a token, hidden]', 1, null] } }),
      said('done'),
    ]);
    // What setup has made, what the owner chose, and the rest of one that was cut off.
    await tell(session, [
      said(`relay_${'y'.repeat(43)} and ${ownerToken}`),
      said(`… ar_node_${'z'.repeat(42)}… [9 more characters were cut]`),
      said(`interrupted at ar_session_${'z'.repeat(40)}`),
      said('owner_of_this_file_and_of_all_the_others relay_connect'),
    ]);
    expect(textsOf(await page(reader)).slice(-4)).toEqual([
      '[a token, hidden] and [a token, hidden]',
      '… [a token, hidden]… [9 more characters were cut]',
      'interrupted at [a token, hidden]',
      'owner_of_this_file_and_of_all_the_others relay_connect',
    ]);
    // Of a channel on another machine, and of a hook there.
    await tell(session, [said(`curl https://api.telegram.org/bot12345678:${'T'.repeat(35)}/getMe`), said(`secret: ${'h1'.repeat(6)}`)]);
    expect(textsOf(await page(reader)).slice(-2)).toEqual([
      'curl https://api.telegram.org/bot[a secret, hidden]/getMe',
      'secret: [a secret, hidden]',
    ]);
    // The owner sees it as it was.
    expect(textsOf(await page(owner))).toContain(`act as ar_session_${'x'.repeat(43)}, or ${code}.`);
  });

  test('ends by the clock and when it is revoked, for those too who have it open', async () => {
    const [short, long] = [await share({ expiresInMs: 60_000 }), await share()];
    const [brief, lasting] = [await follow(await bearer(short.code)), await follow(await bearer(long.code))];
    const before = await bearer(short.code);
    world.clock.pass(60_000);
    expect(await brief.ended).toBe('unauthorized');
    expect(await world.relay.authenticate(short.code)).toBeNull();
    await expect(page(before)).rejects.toMatchObject({ code: 'unauthorized' });
    expect((await world.relay.handlers['shares/list']({}, as(owner))).data.map(({ id }) => id)).toEqual([long.id]);
    await world.relay.handlers['shares/revoke']({ id: long.id }, as(owner));
    expect(await lasting.ended).toBe('unauthorized');
    expect(await world.relay.authenticate(long.code)).toBeNull();
    expect((await world.relay.handlers['shares/list']({}, as(owner))).data).toEqual([]);
    await world.relay.reap();
    expect((await world.eventTypes()).filter((type) => type.startsWith('token.'))).toEqual([
      'token.created',
      'token.created',
      'token.revoked',
      'token.expired',
    ]);
  });

  test('ends with an agent that is removed, in that commit; one that was only gone for long keeps its links', async () => {
    await tell(session, [said('first')]);
    const kept = await share();
    await again().then(({ sessionId }) =>
      world.relay.nodeHandlers['sessions/report']({ sessionId, status: 'ended' }, { ...as(owner), link: node }),
    );
    world.clock.pass(2 * DAY_MS);
    await world.relay.reap();
    expect(world.store.agents.index.in(workspace).find('Worker')?.agent).toBeNull();
    expect(textsOf(await page(await bearer(kept.code)))).toEqual(['first']);
    const another = await world.start('Worker');
    await tell(another, [said('another of that name')], 0);
    expect(textsOf(await page(await bearer(kept.code)))).toEqual(['first']);
    const live = await follow(await bearer(kept.code));
    await world.relay.handlers['agents/remove']({ id: 'Worker' }, as(owner));
    expect(await live.ended).toBe('unauthorized');
    expect(await world.relay.authenticate(kept.code)).toBeNull();
    expect((await world.eventTypes()).filter((type) => /^(?:token\.r|agent\.removed)/u.test(type))).toEqual([
      'agent.removed',
      'agent.removed',
      'token.revoked',
    ]);
  });

  test('outlives the relay, and is kept as a hash alone', async () => {
    const { code, id } = await share();
    world = await world.restart();
    expect(await bearer(code)).toEqual({ type: 'share', workspace, tokenId: id, agentId: 'Worker', sessionId: session.sessionId });
    expect(await world.relay.authenticate(`${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`)).toBeNull();
    expect(await world.relay.authenticate(id)).toBeNull();
    expect(JSON.stringify(await world.store.tokens.list(workspace))).not.toContain(code);
  });

  test('is made of sessions that there are, and revoking one ends no other token', async () => {
    await expect(share({ agentId: 'Nobody' })).rejects.toMatchObject({ code: 'not_found' });
    await world.relay.handlers['agents/register']({ id: 'Desk', name: 'Desk' }, as(owner));
    await expect(share({ agentId: 'Desk' })).rejects.toMatchObject({ code: 'not_found', message: /No machine/u });
    await expect(share({ agentId: 'Desk', sessionId: session.sessionId })).rejects.toMatchObject({ code: 'not_found' });
    const token = await world.relay.handlers['tokens/create']({ name: 'ci', scopes: ['stats:read'] }, as(owner));
    await expect(world.relay.handlers['shares/revoke']({ id: token.tokenId }, as(owner))).rejects.toMatchObject({ code: 'not_found' });
    expect(await world.relay.authenticate(token.token)).not.toBeNull();
  });
});

test('a link hides what systems outside are known by, and what posts to them are signed with, wherever it stands', async () => {
  const [token, callbackSecret, hookSecret] = ['ops-token/of:its=own', 'callback secret%1'.replace(' ', '+'), 'a-hook’s-"secret"'];
  const integration = { name: 'ops', token, callbackUrl: 'http://localhost:9/', callbackSecret };
  await using relay = await startTestRelay({ settings: { AGENT_RELAY_INTEGRATIONS: JSON.stringify([integration]) } });
  writeFileSync(
    `${relay.databasePath}.hooks.yaml`,
    `hooks: { relay: { on_spawned: [{ webhook: 'https://hooks.example/x', secret: ${JSON.stringify(hookSecret)} }] } }`,
    { mode: 0o600 },
  );
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  expect((await client.hooks.describe({})).sources[0]).toMatchObject({ fault: null });
  const { peer } = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const { sessionId } = await client.sessions.start({ name: 'Worker', provider: 'claude' });
  const texts = [
    `curl -H "Authorization: Bearer ${token}" https://relay.example/api`,
    `token ${token}, or ${token}.`,
    `https://x.example/?key=${encodeURIComponent(callbackSecret)}&t=1 ${callbackSecret}`,
    JSON.stringify({ secret: hookSecret }),
    'ops-token/of:its=other and everything else that is long enough stays',
  ];
  const entries = texts.map((text, index) => ({ seq: index + 1, at: 1, event: said(text) }));
  await peer.request('activity/append', { sessionId, entries });
  const { code } = await client.shares.create({ agentId: 'Worker' });
  await using reader = createNodeRelayClient({ url: relay.url, token: code });
  expect(textsOf((await reader.agents.activity({ id: 'Worker' })).data)).toEqual([
    'curl -H "Authorization: Bearer [a token, hidden]" https://relay.example/api',
    'token [a token, hidden], or [a token, hidden].',
    'https://x.example/?key=[a token, hidden]&t=1 [a token, hidden]',
    '{"secret":"[a token, hidden]"}',
    texts[4],
  ]);
  await peer.close();
});

test('a link is made, listed and revoked at a terminal; no browser signs in with it, and neither log nor audit tells its code', async () => {
  await using relay = await startTestRelay();
  await using client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const { peer } = await attachNode(relay.url, relay.ownerToken, 'laptop');
  const { sessionId } = await client.sessions.start({ name: 'Worker', provider: 'claude' });
  await peer.request('activity/append', { sessionId, entries: [{ seq: 1, at: 1, event: said('hello') }] });
  const { out, notes, code: exit } = await agentRelay(relay, 'share', 'Worker', '--expires', '12h');
  const code = new URL(out).hash.slice(1);
  expect([exit, out]).toEqual([0, `${relay.url}/shared#${code}`]);
  const [share] = (await client.shares.list({ agent: 'Worker' })).data;
  expect(share).toMatchObject({ agentId: 'Worker', sessionId, createdBy: 'owner' });
  expect(notes).toContain(`shares revoke ${share?.id}`);
  expect(notes).toContain('on this machine only');
  expect((await agentRelay(relay, 'shares')).out).toMatch(new RegExp(`${share?.id} +Worker +${sessionId} +owner`, 'u'));

  await using reader = createNodeRelayClient({ url: relay.url, token: code, transport: 'socket' });
  expect((await reader.shared.get()).agentId).toBe('Worker');
  for await (const entry of reader.activity('Worker', { after: 0 })) {
    expect(entry.event).toEqual(said('hello'));
    break;
  }
  await expect(reader.messages.list({})).rejects.toMatchObject({ code: 'forbidden' });
  const exchanged = await rawRequest(`${relay.url}/api/login-codes/exchange`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: code }),
  });
  expect(exchanged.status).toBe(401);
  await expect(client.shared.get()).rejects.toMatchObject({ code: 'forbidden' });

  const id = share?.id ?? '';
  expect(await agentRelay(relay, 'shares', 'revoke', id)).toEqual({ code: 0, out: `${id} is revoked`, notes: '' });
  expect((await agentRelay(relay, 'shares', 'revoke', id)).code).not.toBe(0);
  expect((await agentRelay(relay, 'shares', 'list')).notes).toBe('No links.');
  await expect(reader.shared.get()).rejects.toMatchObject({ code: 'unauthorized' });
  const acts = (await client.audit.list({})).data;
  expect(acts.map(({ action, by, subject }) => [action, by, subject])).toEqual(
    expect.arrayContaining([
      ['shares/create', 'owner', 'Worker'],
      ['shares/revoke', 'owner', id],
    ]),
  );
  expect(JSON.stringify(acts)).not.toContain(code);
  await peer.close();
});
