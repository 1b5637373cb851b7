import type { RelayCalls } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { type Scope, ScopeSchema } from 'agent-relay-protocol';
import { startTestRelay, type TestRelay } from '../../src/testing.ts';
import { attachNode } from './fake-node.ts';
import { nodeToken } from './node-token.ts';
import { browserHeaders } from './open-server.ts';

const CI_TOKEN = 'a-token-of-the-integration-ci-itself';
const CD_TOKEN = 'a-token-of-another-integration-cd';
const allScopes: readonly Scope[] = ScopeSchema.options.filter((scope) => scope !== '*');
const integration = (name: string, token: string) => ({ name, token, scopes: allScopes });

type Headers = Readonly<Record<string, string>>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

/** What callers start agents as: under a name that one of them had, no other may. */
const children = Array.from({ length: 200 }, (_, index) => `child-${index}`);
let begun = 0;
export function nextChild(): string {
  begun += 1;
  return children[begun % children.length] ?? '';
}

/** Agents of every world: one that a machine runs and a token protects, one that nothing protects, and those they deal with. */
export const subjects = ['held', 'free'] as const;
export type Subject = (typeof subjects)[number];

/** A relay in which everything that an operation can be done to is there, or can be made again. */
export async function openAuthorityWorld() {
  const relay = await startTestRelay({
    // So that the second answer of an agent to an agent is held.
    settings: {
      AGENT_RELAY_HOP_LIMIT: '1',
      AGENT_RELAY_PAIR_RATE_PER_MINUTE: '0',
      AGENT_RELAY_REPEAT_LIMIT: '0',
      AGENT_RELAY_INTEGRATIONS: JSON.stringify([integration('ci', CI_TOKEN), integration('cd', CD_TOKEN)]),
    },
  });
  const owner = ownerInside(relay);
  const ci = createNodeRelayClient({ url: relay.url, token: CI_TOKEN });
  const nodeTokens = { own: await nodeToken(relay.relay, 'own'), other: await nodeToken(relay.relay, 'other') };
  const node = await attachNode(relay.url, nodeTokens.own, 'own');
  const sessionOf = async (id: string) => (await owner.agents.register({ id, name: id, withToken: true })).token ?? '';
  const sessions = { spawner: await sessionOf('spawner'), other: await sessionOf('stranger') };
  for (const id of ['free', 'partner']) await owner.agents.register({ id, name: id });
  await owner.agents.register({ id: 'tg', name: 'tg', kind: 'channel', transport: 'test' });
  const anothers = owner.sessions.start({ name: 'another', provider: 'claude', node: 'own' });
  let seq = 0;
  let session = await owner.sessions.start({ name: 'held', provider: 'claude', node: 'own', spawnedBy: 'spawner', approval: 'guarded' });

  const given = async (request: Omit<Parameters<typeof owner.tokens.create>[0], 'name'>) =>
    (await owner.tokens.create({ name: 'given', ...request })).token;
  const channel = await given({ kind: 'channel', agentId: 'tg' });
  const here = ['held', 'free', 'partner', 'tg', 'owner', ...children].map((id) => `id:${id}`);
  /** Who may come, by what the matrix calls them: the headers that they send. */
  const callers: Readonly<Record<string, () => Promise<Headers>>> = {
    owner: async () => bearer(relay.ownerToken),
    browser: async () => {
      const session = await relay.relay.exchangeLoginCode(new URL(await relay.createLoginLink()).hash.slice(1));
      return { ...browserHeaders(relay.relay, session?.token ?? ''), origin: relay.url };
    },
    'token *': async () => bearer(await given({ scopes: ['*'] })),
    anonymous: async () => ({}),
    'its session': async () => bearer(node.tokens.get('held') ?? ''),
    'its agent token': async () => bearer(await given({ kind: 'agent', agentId: 'held' })),
    'its spawner': async () => bearer(sessions.spawner),
    'its machine': async () => bearer(nodeTokens.own),
    'another session': async () => bearer(sessions.other),
    'another agent token': async () => bearer(await given({ kind: 'agent', agentId: 'stranger' })),
    'another machine': async () => bearer(nodeTokens.other),
    'channel token': async () => bearer(channel),
    observer: async () => bearer(await given({ kind: 'observer' })),
    'every scope': async () => bearer(await given({ scopes: [...allScopes] })),
    'every scope, for these': async () => bearer(await given({ scopes: [...allScopes], targets: here })),
    'every scope, for others': async () => bearer(await given({ scopes: [...allScopes], targets: ['id:elsewhere'] })),
    'stats:read': async () => bearer(await given({ scopes: ['stats:read'] })),
    'integration ci': async () => bearer(CI_TOKEN),
    'integration cd': async () => bearer(CD_TOKEN),
    'link to its log': async () => bearer((await owner.shares.create({ agentId: 'held' })).code),
    "link to another's": async () => {
      const { sessionId } = await anothers;
      return bearer((await owner.shares.create({ agentId: 'another', sessionId })).code);
    },
    'ended token': async () => {
      const { token, tokenId } = await owner.tokens.create({ name: 'ended', scopes: ['*'] });
      await owner.tokens.revoke({ id: tokenId });
      return bearer(token);
    },
  };
  return {
    relay,
    owner,
    ci,
    node,
    callers,
    /** Of what the session of `held` tells next. */
    nextSeq: () => {
      seq += 1;
      return seq;
    },
    get sessionId() {
      return session.sessionId;
    },
    /** What an operation ended is begun again. */
    revive: async () => {
      if ((await owner.agents.get({ id: 'held' }).catch(() => null))?.sessionId == null) {
        seq = 0;
        session = await owner.sessions.start({ name: 'held', provider: 'claude', node: 'own', spawnedBy: 'spawner', approval: 'guarded' });
      }
      await owner.agents.register({ id: 'free', name: 'free' });
    },
    close: async () => {
      await node.peer.close();
      await ci.close();
      await relay.close();
    },
  };
}

/** The owner without a wire: what is made for the calls costs less than the calls. */
function ownerInside({ relay }: TestRelay): RelayCalls {
  const context = { principal: { type: 'owner', workspace: 'default' }, signal: new AbortController().signal } as const;
  const group = (resource: string) =>
    new Proxy(
      {},
      {
        get:
          (_, deed: string) =>
          async (input: unknown = {}) =>
            Reflect.get(relay.handlers, `${resource}/${deed}`)(input, context),
      },
    );
  return new Proxy({}, { get: (_, resource: string) => group(resource) }) as RelayCalls; // one member for each route, as the client has
}

export type AuthorityWorld = Awaited<ReturnType<typeof openAuthorityWorld>>;
