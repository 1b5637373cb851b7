import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { poll } from './support/poll.ts';
import { rawRequest } from './support/raw-http.ts';

async function scrape(relay: TestRelay, headers: Record<string, string> = {}): Promise<Map<string, number>> {
  const { text } = await rawRequest(`${relay.url}/metrics`, { headers });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

test('what happens is counted: messages, receipts, claims, commits, requests, connections, readers', async () => {
  await using relay = await startTestRelay();
  const socket = createNodeRelayClient({ url: relay.url, token: relay.ownerToken, transport: 'socket' });
  const http = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  await http.agents.register({ id: 'Worker', name: 'Worker' });
  const before = await scrape(relay);
  const sent = await Promise.all(['a', 'b', 'c'].map((body) => socket.messages.send({ to: 'Worker', body, claimable: body === 'a' })));
  await http.inbox.list({ id: 'Worker', limit: 10 });
  await http.inbox.ack({ id: 'Worker', ids: sent.map(({ id }) => id) });
  await http.messages.claim({ id: sent[0]?.id ?? 0, agentId: 'Worker' });
  await expect(http.messages.get({ id: 999_999 })).rejects.toMatchObject({ code: 'not_found' });
  const stop = new AbortController();
  const stream = await fetch(`${relay.url}/api/events?after=0`, { signal: stop.signal });
  // The relay's own hooks are the other one.
  await poll('the reader is live', async () => (await scrape(relay)).get('agent_relay_event_readers{state="live"}') === 2);
  const after = await scrape(relay);
  const grown = (name: string) => (after.get(name) ?? Number.NaN) - (before.get(name) ?? 0);
  expect(grown('agent_relay_messages_total')).toBe(3);
  expect(grown('agent_relay_deliveries_total{state="delivered"}')).toBe(3);
  expect(after.get('agent_relay_deliveries_waiting')).toBe(0);
  expect(after.get('agent_relay_work_open')).toBe(1);
  expect(grown('agent_relay_claim_wait_seconds_count')).toBe(1);
  expect(after.get('agent_relay_claim_wait_seconds_bucket{le="+Inf"}')).toBe(1);
  expect(grown('agent_relay_requests_total{route="messages/send",transport="web_socket",status=""}')).toBe(3);
  expect(grown('agent_relay_requests_total{route="messages/get",transport="http",status="404"}')).toBe(1);
  expect(grown('agent_relay_requests_total{route="inbox/list",transport="http",status="200"}')).toBe(1);
  expect(grown('agent_relay_http_request_seconds_count{route="inbox/list"}')).toBe(1);
  expect(after.get('agent_relay_connections{transport="sse"}')).toBe(1);
  expect(after.get('agent_relay_connections{transport="web_socket"}')).toBe(1);
  expect(after.get('agent_relay_event_lag')).toBe(0);
  expect(after.get('agent_relay_agents{status="online"}')).toBe(1);
  const commits = grown('agent_relay_store_commit_seconds_count');
  expect(commits).toBeGreaterThanOrEqual(3);
  expect(grown('agent_relay_store_commit_operations_sum')).toBeGreaterThanOrEqual(commits);
  stop.abort();
  await stream.text().catch(() => '');
  await socket.close();
  await http.close();
  await poll('the connections are gone', async () => {
    const now = await scrape(relay);
    return now.get('agent_relay_connections{transport="sse"}') === 0 && now.get('agent_relay_connections{transport="web_socket"}') === 0;
  });
});

test('a bucket holds everything up to its bound', async () => {
  await using relay = await startTestRelay();
  const buckets = [...(await scrape(relay))].filter(([name]) => name.startsWith('agent_relay_store_commit_operations_bucket'));
  const values = buckets.map(([, value]) => value);
  expect(values.length).toBeGreaterThan(5);
  expect(values).toEqual([...values].sort((one, other) => one - other));
});

test('it needs stats:read; a program on loopback may do without a token', async () => {
  await using relay = await startTestRelay();
  const owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const [good, bad] = await Promise.all(
    (['stats:read', 'messages:read'] as const).map((scope) => owner.tokens.create({ name: scope, scopes: [scope] })),
  );
  const status = async (headers: Record<string, string>) => (await rawRequest(`${relay.url}/metrics`, { headers })).status;
  expect(await status({})).toBe(200);
  expect(await status({ authorization: `Bearer ${good?.token}` })).toBe(200);
  expect(await status({ authorization: `Bearer ${bad?.token}` })).toBe(403);
  expect(await status({ 'x-forwarded-for': '203.0.113.9' })).toBe(401);
  expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  await owner.close();
});
