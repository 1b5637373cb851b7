import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, globalAgent, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { agentIdentity, createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { settlesWithin } from 'agent-relay-wire';
import { expect, onTestFinished, test } from 'vitest';
import { AgentPresence, type AgentPresenceOptions } from '../src/relay/agent-presence.ts';

test('of two sessions that are one agent the later one has it, and the earlier one again once that has ended', async () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-presence-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await using relay = await startTestRelay();
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken };
  const identity = agentIdentity({ cwd: home, env, sessionKey: 'one', provider: 'codex', defaults: {} });
  const told: string[] = [];
  const begin = (name: string) => {
    const presence = new AgentPresence({
      ...{ env, identity, heartbeatMs: 50, lookEveryMs: 50 },
      onAttached: () => told.push(`${name} attached`),
      onAway: (reason) => told.push(`${name} away: ${reason}`),
      onProxy: (warning) => told.push(warning),
      onReplaced: () => told.push(`${name} replaced`),
    });
    onTestFinished(() => presence.close());
    return presence;
  };
  begin('first');
  await expect.poll(() => told).toEqual(['first attached']);
  const second = begin('second');
  await expect.poll(() => told.toSorted()).toEqual(['first attached', 'first replaced', 'second attached']);
  const { epoch } = await owner.agents.get({ id: identity.id });
  await second.close();
  await expect.poll(() => told.slice(3)).toEqual(['first attached']);
  expect(await owner.agents.get({ id: identity.id })).toMatchObject({ epoch: epoch + 1, status: 'online' });
});

test('a session that is over waits no longer than it must for a relay that does not answer', async () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-presence-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await using relay = await startTestRelay();
  const sockets: Socket[] = [];
  const line = createServer((near) => {
    const far = connect(Number(new URL(relay.url).port), '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => {}); // cut at the end
    near.pipe(far).pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    line.close();
  });
  // A listening TCP server has an address of this kind.
  const url = `http://127.0.0.1:${(line.address() as AddressInfo).port}`;
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: url, AGENT_RELAY_TOKEN: relay.ownerToken };
  const identity = agentIdentity({ cwd: home, env, sessionKey: 'one', provider: 'codex', defaults: {} });
  const presence = await attached({ env, identity, goodbyeMs: 100 });
  line.removeAllListeners('connection');
  for (const socket of sockets) socket.unpipe();
  expect(await settlesWithin(presence.close(), 15_000)).toBe(true);
});

test('what a session became while its relay was away is told once it is back', async () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-presence-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await using relay = await startTestRelay();
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const sockets = new Set<Socket>();
  let [isAway, refused] = [false, 0];
  const line = createServer((near) => {
    near.on('error', () => {}); // cut
    if (isAway) {
      refused += 1;
      near.destroy();
      return;
    }
    const far = connect(Number(new URL(relay.url).port), '127.0.0.1');
    far.on('error', () => {}); // cut
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) sockets.add(socket);
  });
  await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    line.close();
  });
  // A listening TCP server has an address of this kind.
  const url = `http://127.0.0.1:${(line.address() as AddressInfo).port}`;
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: url, AGENT_RELAY_TOKEN: relay.ownerToken };
  const identity = agentIdentity({ cwd: home, env, sessionKey: 'one', provider: 'codex', defaults: {} });
  const presence = await attached({ env, identity });
  onTestFinished(() => presence.close());
  const status = async () => (await owner.agents.get({ id: identity.id })).status;
  presence.setStatus('busy');
  await expect.poll(status).toBe('busy');
  isAway = true;
  cut();
  presence.setStatus('idle');
  await expect.poll(() => refused).toBeGreaterThan(0);
  isAway = false;
  await expect.poll(status, { timeout: 30_000 }).toBe('idle');
});

test('that a proxy can read the token is told once of a relay, however often it is looked for', async () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-presence-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const { options } = globalAgent as unknown as { options: { proxyEnv?: object } }; // where Node keeps what it goes by
  const before = options.proxyEnv;
  options.proxyEnv = { HTTP_PROXY: 'http://127.0.0.1:1' };
  onTestFinished(() => {
    if (before === undefined) delete options.proxyEnv;
    else options.proxyEnv = before;
  });
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: 'http://relay.invalid', AGENT_RELAY_TOKEN: 'a-token' };
  const [warned, away]: [string[], string[]] = [[], []];
  const presence = new AgentPresence({
    env,
    identity: agentIdentity({ cwd: home, env, sessionKey: 'one', provider: 'codex', defaults: {} }),
    onAttached: () => expect.fail('no relay is there'),
    onAway: (reason) => away.push(reason),
    onProxy: (warning) => warned.push(warning),
    onReplaced: () => expect.fail('no relay is there'),
  });
  onTestFinished(() => presence.close());
  await expect.poll(() => away.length).toBeGreaterThan(0);
  expect(warned).toEqual([expect.stringContaining('http://relay.invalid leads through a proxy')]);
});

test('a session that ends while it is registered is not begun, and its agent is offline', async () => {
  const home = mkdtempSync(join(tmpdir(), 'codex-presence-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  await using relay = await startTestRelay();
  await using owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  let [registrations, letThrough] = [0, () => {}];
  const held = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    const answer = await fetch(`${relay.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { 'content-type': 'application/json', authorization: request.headers.authorization ?? '' },
      ...(body === '' ? {} : { body }),
    });
    const answered = await answer.text();
    // The first is the owner's, for the agent's token.
    if (request.method === 'POST' && request.url === '/api/agents' && ++registrations === 2) await held;
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answered);
  };
  const between = createHttpServer((request, response) => void pass(request, response));
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void between.close());
  // A listening TCP server has an address of this kind.
  const url = `http://127.0.0.1:${(between.address() as AddressInfo).port}`;
  const env = { HOME: home, PATH: '', AGENT_RELAY_URL: url, AGENT_RELAY_TOKEN: relay.ownerToken };
  const identity = agentIdentity({ cwd: home, env, sessionKey: 'one', provider: 'codex', defaults: {} });
  const told: string[] = [];
  const presence = new AgentPresence({
    env,
    identity,
    onAttached: () => told.push('attached'),
    onAway: (reason) => told.push(reason),
    onProxy: (warning) => told.push(warning),
    onReplaced: () => told.push('replaced'),
  });
  await expect.poll(() => registrations).toBe(2);
  const closed = presence.close();
  letThrough();
  await closed;
  expect([told, (await owner.agents.get({ id: identity.id })).status]).toEqual([[], 'offline']);
});

/** Resolves once it is at its relay, as the only one. */
function attached(options: Pick<AgentPresenceOptions, 'env' | 'identity' | 'goodbyeMs'>): Promise<AgentPresence> {
  return new Promise((resolve) => {
    const begun = new AgentPresence({
      ...options,
      onAttached: () => resolve(begun),
      onAway: (reason) => expect.fail(reason),
      onProxy: (warning) => expect.fail(warning),
      onReplaced: () => expect.fail('it is the only one'),
    });
  });
}
