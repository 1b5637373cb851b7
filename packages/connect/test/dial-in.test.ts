import type { DialCode, Session } from 'agent-relay-protocol';
import { type AgentSession, type DialIn, type Provider, SessionEvents, type StartOptions } from 'agent-relay-provider';
import type { DuplexClosed, MessageDuplex } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../../server/src/testing.ts';
import { Api, until, World } from './link-world.ts';

let world: World;
let relay: TestRelay;
let api: Api;
beforeEach(async () => {
  world = new World();
  relay = await startTestRelay();
  world.onClose(() => relay.close());
  api = new Api(relay.url, relay.ownerToken);
});
afterEach(() => world.close());

/** Takes programs that dial in: answers each frame with what came before it, and ends when its session is closed. */
class Echo implements Provider {
  readonly id = 'claude';
  readonly takesDialIns = true;
  readonly started: StartOptions[] = [];
  readonly upgrades: object[] = [];

  async detect() {
    return { available: false, reason: 'It is not installed here' } as const;
  }

  async start(options: StartOptions): Promise<AgentSession> {
    this.started.push(options);
    const { dialIn } = options;
    if (!dialIn) throw new Error('somebody dials in');
    const events = new SessionEvents({ cwd: options.cwd });
    const open: MessageDuplex[] = [];
    void this.#answer(dialIn, open);
    events.emit({ type: 'session.status', status: 'idle' });
    return {
      ...{ vendorSessionId: null, model: null, events },
      ...{ prompt: async () => {}, interrupt: async () => false },
      close: async () => {
        for (const duplex of open) await duplex.close({ code: 4001, reason: 'released' });
        events.end({ reason: 'closed' });
      },
    };
  }

  async close() {}

  async #answer({ links }: DialIn, open: MessageDuplex[]): Promise<void> {
    const heard: unknown[] = [];
    for await (const { duplex, upgrade, byCode } of links) {
      this.upgrades.push(byCode ? { ...upgrade, byCode } : upgrade);
      open.push(duplex);
      void (async () => {
        for await (const frame of duplex.incoming) {
          heard.push(frame);
          await duplex.send({ heard: [...heard] });
        }
      })().catch(() => {});
    }
  }
}

interface Dialling {
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

const dial = (path: string, { token, headers = {} }: Dialling = {}): Promise<MessageDuplex> =>
  connectWebSocket(`${relay.url.replace('http', 'ws')}${path}`, {
    framing: 'lines',
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
  });
const endOf = async (path: string, dialling: Dialling): Promise<DuplexClosed> => (await dial(path, dialling)).closed;
const tokenFor = async (agentId: string) =>
  api.call<{ token: string; tokenId: string }>('POST', '/tokens', { name: agentId, kind: 'agent', agentId });
const sessions = async () => (await api.call<{ data: Session[] }>('GET', '/sessions')).data;
const first = async (duplex: MessageDuplex): Promise<unknown> => {
  for await (const frame of duplex.incoming) return frame;
  return undefined;
};

async function machine(): Promise<Echo> {
  const provider = new Echo();
  await world.node(relay.url, relay.ownerToken, { providers: [provider] });
  await api.nodeOnline();
  return provider;
}

test('whoever may not is turned away for good after the upgrade, in a sentence', async () => {
  await machine();
  const { token } = await tokenFor('Lead');
  const scoped = await api.call<{ token: string }>('POST', '/tokens', { name: 'program', kind: 'scoped', scopes: ['sessions:write'] });
  const final = (reason: string) => ({ code: 4003, reason: expect.stringContaining(reason) });
  expect(await endOf('/claude/Lead', {})).toEqual(final('a code in the path'));
  expect(await endOf('/claude/Lead', { token: 'ar_scoped_none' })).toEqual(final('token is not valid'));
  expect(await endOf('/claude/Other', { token })).toEqual(final('does not speak for Other'));
  expect(await endOf('/claude/Lead', { token: scoped.token })).toEqual(final('does not speak for Lead'));
  expect(await endOf('/claude/Nobody', { token: relay.ownerToken })).toEqual(final('no agent Nobody'));
  expect(await endOf('/claude/Lead/ar_dial_none', {})).toEqual(final('it has been used'));
  expect(await endOf('/claude/', { token })).toEqual(final('the id of the agent'));
  expect(await endOf('/claude/Lead/a/b', { token })).toEqual(final('the id of the agent'));
  expect(await endOf('/claude/%ff', { token })).toEqual(final('the id of the agent'));
  expect(await endOf('/claude/Lead?mode=mad', { token })).toEqual(final('mode'));
  expect(await endOf('/claude/Lead?cwd=here', { token })).toEqual(final('cwd'));
  expect(await endOf('/claude/Lead', { token, headers: { origin: relay.url } })).toEqual(final('no pages'));
  expect(await endOf('/claude/Lead', { token, headers: { host: 'evil.example' } })).toEqual(final('host name'));
  expect(await sessions()).toEqual([]);
});

test('one that comes while no machine takes it is told to come again', async () => {
  const { token } = await tokenFor('Lead');
  expect(await endOf('/claude/Lead', { token })).toEqual({ code: 1013, reason: expect.stringContaining('start relay-connect') });
});

test('a link is for the machines of the relay, and good once', async () => {
  await machine();
  await expect(dial('/dialled/x')).rejects.toMatchObject({ code: 'forbidden' });
  const { token } = await tokenFor('Lead');
  await expect(dial('/dialled/x', { token })).rejects.toMatchObject({ code: 'forbidden' });
  expect(await endOf('/dialled/x', { token: relay.ownerToken })).toEqual({ code: 4003, reason: expect.stringContaining('no such link') });
});

test('it is an agent with the terms of its address, goes on over further links, and ends with its release', async () => {
  const provider = await machine();
  await api.call('POST', '/agents', { id: 'Lead', name: 'Lead', approval: 'guarded' });
  const { token } = await tokenFor('Lead');
  const one = await dial('/claude/Lead?mode=safe&ask=false&cwd=/home/ada&x=1', { token });
  await one.send({ n: 1 });
  expect(await first(one)).toEqual({ heard: [{ n: 1 }] });
  await until(async () => expect(await api.agent('Lead')).toMatchObject({ status: 'idle', approval: 'guarded', protected: true }));
  expect(provider.started).toMatchObject([
    {
      agentId: 'Lead',
      mode: 'safe',
      ask: false,
      cwd: '/home/ada',
      approval: 'guarded',
      mcp: [{ headers: { 'x-agent-relay-token': expect.any(String) } }],
    },
  ]);
  const again = await dial('/claude/Lead?mode=safe', { token, headers: { 'x-last-request-id': 'u1' } });
  await again.send({ n: 2 });
  expect(await first(again)).toEqual({ heard: [{ n: 1 }, { n: 2 }] });
  expect(provider.upgrades).toEqual([
    { url: '/claude/Lead?mode=safe&ask=false&cwd=/home/ada&x=1', headers: {} },
    { url: '/claude/Lead?mode=safe', headers: { 'x-last-request-id': 'u1' } },
  ]);
  const third = await dial('/claude/Lead', { token });
  await until(() => expect(provider.upgrades).toHaveLength(3));
  await api.call('POST', '/agents/Lead/release', {});
  expect(await third.closed).toEqual({ code: 4001, reason: 'released' });
  expect(await sessions()).toMatchObject([{ status: 'ended', provider: 'claude', mode: 'safe', cwd: '/home/ada' }]);
});

test('a code counts for the one session that begins with it, and stands in nobody’s log', async () => {
  const provider = await machine();
  const { path } = await api.call<DialCode>('POST', '/sessions/invitations', { agent: 'Lead' });
  expect(path).toMatch(/^\/claude\/Lead\/ar_dial_\S{43}$/u);
  const other = path.replace('/Lead/', '/Other/');
  expect(await endOf(other, {})).toMatchObject({ code: 4003, reason: 'This code is not for Other' });
  const one = await dial(path);
  await one.send({ n: 1 });
  expect(await first(one)).toEqual({ heard: [{ n: 1 }] });
  const again = await dial(path);
  await again.send({ n: 2 });
  expect(await first(again)).toEqual({ heard: [{ n: 1 }, { n: 2 }] });
  expect(provider.upgrades).toEqual([
    { url: '/claude/Lead', headers: {} },
    { url: '/claude/Lead', headers: {}, byCode: true },
  ]);
  expect(await sessions()).toMatchObject([{ agentId: 'Lead', cwd: null, dialledIn: true }]);
  const code = path.split('/').at(-1) ?? '';
  const seen = await Promise.all(['/tokens', '/events?since=0', '/sessions'].map((list) => api.call('GET', list).catch(() => ({}))));
  expect(JSON.stringify([seen, provider.started])).not.toContain(code);
  await expect(new Api(relay.url, code).call('GET', '/tokens')).rejects.toMatchObject({ code: 'unauthorized' });
  const second = await api.call<DialCode>('POST', '/sessions/invitations', { agent: 'Lead' });
  expect(await endOf(second.path, {})).toEqual({ code: 4003, reason: 'Lead is running already' });
  const [session] = await sessions();
  await api.call('POST', '/agents/Lead/release', {});
  expect(await endOf(path, {})).toMatchObject({ code: 4003 });
  expect((await sessions()).map(({ sessionId }) => sessionId)).toEqual([session?.sessionId]);
});

test('with the token that let it in its session ends', async () => {
  await machine();
  const { token, tokenId } = await tokenFor('Lead');
  const link = await dial('/claude/Lead', { token });
  await until(async () => expect((await sessions()).map(({ status }) => status)).toEqual(['running']));
  await api.call('DELETE', `/tokens/${tokenId}`);
  expect((await link.closed).code).toBeGreaterThanOrEqual(4001);
  await until(async () =>
    expect(await sessions()).toMatchObject([{ status: 'ended', reason: 'The token with which it dialled in has ended' }]),
  );
});

test('what is no JSON is passed over, and a frame that is too long ends the link and nothing else', async () => {
  await machine();
  const { token } = await tokenFor('Lead');
  const link = await dial('/claude/Lead', { token });
  await link.sendText?.('no json');
  await link.send({ n: 1 });
  expect(await first(link)).toEqual({ heard: [{ n: 1 }] });
  const long = await dial('/claude/Lead', { token });
  void long.sendText?.(`"${'x'.repeat(33 * 1024 * 1024)}"`);
  expect(await long.closed).toMatchObject({ code: 1009 });
  expect(await sessions()).toMatchObject([{ status: 'running' }]);
});
