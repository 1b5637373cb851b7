import { randomUUID } from 'node:crypto';
import type { RouteName } from 'agent-relay-protocol';
import { pairedMachine } from '../../src/testing.ts';
import { codeOf } from '../core/world.ts';
import { type AuthorityWorld, nextChild, type Subject } from './authority-world.ts';

type Input = Record<string, unknown>;
/** Makes what the operation is done to, as the owner, and answers the call that does it. */
export type Operation = (world: AuthorityWorld, subject: Subject) => Input | Promise<Input>;

const mail = async ({ owner }: AuthorityWorld, to: string, more: object = {}) =>
  (await owner.messages.send({ to, body: randomUUID(), ...more })).id;
const claimOf = async (world: AuthorityWorld, agentId: string) => {
  const { claimId } = await world.owner.messages.claim({ id: await mail(world, agentId, { claimable: true }), agentId });
  return { id: claimId, agentId };
};
const taskFor = async ({ ci }: AuthorityWorld, target: string) => {
  const { task } = await ci.integrations.report({ title: 'broken', target, dedupeKey: randomUUID() });
  return task?.id ?? 0;
};
/** A pair that the partner asked the subject for; an earlier one is over. */
const pairOf = async ({ owner }: AuthorityWorld, subject: string) => {
  for (const agent of [subject, 'partner'])
    for (const status of ['pending', 'active'] as const)
      for (const { id } of (await owner.pairs.list({ agent, status })).data) await owner.pairs.hangup({ id });
  for (const id of [subject, 'partner']) await owner.agents.status({ id, status: 'idle' });
  return (await owner.pairs.request({ from: 'partner', target: subject, objective: 'talk' })).id;
};
const activePair = async (world: AuthorityWorld, subject: string) => {
  const id = await pairOf(world, subject);
  await world.owner.pairs.accept({ id, agentId: subject });
  return id;
};
const heldMessage = async (world: AuthorityWorld, from: string) => {
  const { owner } = world;
  const asked = await owner.messages.send({ from, to: 'id:partner', body: randomUUID() });
  const answered = await owner.messages.send({ from: 'partner', replyTo: asked.id, body: randomUUID() });
  await codeOf(owner.messages.send({ from, replyTo: answered.id, body: randomUUID() }));
  return (await owner.holds.list({ status: 'held', from })).data[0]?.id ?? 0;
};
const bound = async ({ owner }: AuthorityWorld, target: string) => {
  const conversationId = randomUUID();
  const { bindingId } = await owner.channels.bind({ id: 'tg', conversationId, target });
  return { conversationId, bindingId };
};
/** An agent has so many at a time. */
const withoutReservations = async ({ owner }: AuthorityWorld, agentId: string) => {
  const { data } = await owner.reservations.list({});
  const { data: sessions } = await owner.sessions.list({ agent: agentId });
  for (const each of data) if (each.agentId === agentId) await owner.reservations.release({ id: each.id });
  // One that a machine runs reserves where it works.
  return { agentId, folder: `${sessions[0]?.cwd ?? ''}/${randomUUID()}`, patterns: ['a'] };
};
const reserved = async (world: AuthorityWorld, agentId: string) =>
  (await world.owner.reservations.create(await withoutReservations(world, agentId))).id;
const asked = async ({ node, sessionId, nextSeq }: AuthorityWorld) => {
  const approvalId = randomUUID();
  const options = [{ id: 'allow', label: 'Allow', outcome: 'allow' }];
  const event = { type: 'approval.requested', approvalId, kind: 'execute', title: 'rm', input: {}, options };
  await node.peer.request('activity/append', { sessionId, entries: [{ seq: nextSeq(), at: 1, event }] });
  return approvalId;
};

/** That of a machine that waits, of which there is always one that nobody has accepted. */
const waitingCode = async (relay: AuthorityWorld['relay']['relay'], owner: AuthorityWorld['owner']) => {
  const [waiting] = (await owner.nodes.pairings()).data;
  return { code: waiting?.code ?? relay.pairings.request({ name: 'newcomer', version: '1' }, randomUUID()).code };
};

/** One whose push service nothing is sent to in a test. */
const browserOf = (name: string) => ({
  endpoint: `https://push.invalid/${name}`,
  keys: {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  },
  topics: ['mail' as const],
});

/** What is done to an agent, its mail and its work, by whoever says that it is that agent. */
export const acts = {
  'agents/register': (_, id) => ({ id, name: id }),
  'agents/heartbeat': (_, id) => ({ id }),
  'agents/label': (_, id) => ({ id, label: 'label' }),
  'agents/tags': (_, id) => ({ id, tags: ['tag'] }),
  'agents/status': (_, id) => ({ id, status: 'idle' }),
  'agents/ready': (_, id) => ({ id, ready: true }),
  'messages/send': (_, from) => ({ from, to: 'partner', body: randomUUID() }),
  'messages/verify': async (world, agentId) => ({ id: await mail(world, agentId), agentId }),
  'messages/read': async (world, agentId) => ({ id: await mail(world, agentId), agentId }),
  'messages/claim': async (world, agentId) => ({ id: await mail(world, agentId, { claimable: true }), agentId }),
  'messages/dismiss': async (world, from) => ({ id: await mail(world, 'owner', { from }), agentId: from }),
  'messages/remove': async (world, from) => ({ id: await mail(world, 'owner', { from }), agentId: from }),
  'inbox/list': (_, id) => ({ id }),
  'inbox/ack': async (world, id) => ({ id, ids: [await mail(world, id)] }),
  'deliveries/report': async (world, id) => ({
    id,
    reports: [{ messageId: await mail(world, id), state: 'delivered', evidence: 'accepted' }],
  }),
  'claims/renew': claimOf,
  'claims/progress': async (world, id) => ({ ...(await claimOf(world, id)), progress: 1 }),
  'claims/release': claimOf,
  'claims/complete': claimOf,
  'tasks/claim': async (world, agentId) => ({ id: await taskFor(world, agentId), agentId }),
  'pairs/request': async (world, from) => {
    await world.owner.pairs.hangup({ id: await pairOf(world, from) });
    return { from, target: 'partner', objective: 'talk' };
  },
  'pairs/accept': async (world, agentId) => ({ id: await pairOf(world, agentId), agentId }),
  'pairs/reject': async (world, agentId) => ({ id: await pairOf(world, agentId), agentId }),
  'pairs/send': async (world, from) => ({ id: await activePair(world, from), from, body: randomUUID() }),
  'pairs/hangup': async (world, agentId) => ({ id: await activePair(world, agentId), agentId }),
  'agents/remove': (_, id) => ({ id }),
} satisfies Partial<Record<RouteName, Operation>>;

/** Everything else, done to the agent that a token protects where it is done to an agent. */
export const others = {
  'system/health': () => ({}),
  'system/version': () => ({}),
  'system/stats': () => ({}),
  'system/settings': () => ({}),
  'system/me': () => ({}),
  'login/create': () => ({}),
  'tokens/create': () => ({ name: randomUUID(), scopes: ['stats:read'] }),
  'tokens/list': () => ({}),
  'tokens/revoke': async ({ owner }) => ({ id: (await owner.tokens.create({ name: 'x', scopes: ['stats:read'] })).tokenId }),
  'shares/create': (_, agent) => ({ agentId: agent }),
  'shares/list': () => ({}),
  'shares/revoke': async ({ owner }, agent) => ({ id: (await owner.shares.create({ agentId: agent })).id }),
  'shared/get': () => ({}),
  'push/key': () => ({}),
  'push/subscribe': () => browserOf(randomUUID()),
  'push/list': () => ({}),
  'push/unsubscribe': async ({ owner }) => ({ id: (await owner.push.subscribe(browserOf(randomUUID()))).id }),
  'push/look': () => ({ page: 'p', isLookedAt: false }),
  'agents/list': () => ({}),
  'agents/find': () => ({ capability: 'none' }),
  'agents/get': (_, id) => ({ id }),
  'agents/approval': (_, id) => ({ id, approval: 'guarded' }),
  'agents/interrupt': (_, id) => ({ id }),
  'agents/activity': (_, id) => ({ id }),
  'messages/list': () => ({}),
  'messages/cursor': () => ({}),
  'messages/dead': () => ({}),
  'messages/get': async (world, id) => ({ id: await mail(world, id) }),
  'messages/thread': async (world, id) => ({ id: await mail(world, id) }),
  'messages/deliveries': async (world, id) => ({ id: await mail(world, id) }),
  'claims/get': async (world, id) => ({ id: (await claimOf(world, id)).id }),
  'work/list': (_, id) => ({ for: id }),
  'integrations/report': () => ({ source: 'ci', title: 'broken', target: 'held', dedupeKey: randomUUID() }),
  'integrations/list': () => ({}),
  'tasks/list': () => ({}),
  'tasks/count': () => ({}),
  'tasks/get': async (world, id) => ({ id: await taskFor(world, id) }),
  'tasks/events': async (world, id) => ({ id: await taskFor(world, id) }),
  'tasks/status': async (world, id) => ({ id: await taskFor(world, id), agentId: 'ci', status: 'done' }),
  'callbacks/list': () => ({}),
  'callbacks/count': () => ({}),
  'callbacks/redeliver': () => ({ id: 999_999 }),
  'sessions/start': () => ({ name: nextChild(), provider: 'claude', node: 'own' }),
  'sessions/list': () => ({}),
  'sessions/get': ({ sessionId }) => ({ id: sessionId }),
  'sessions/invite': (_, agent) => ({ agent }),
  'nodes/list': () => ({}),
  'nodes/pairings': () => ({}),
  'nodes/pair': ({ relay: { relay }, owner }) => waitingCode(relay, owner),
  'nodes/rename': async ({ relay }) => ({ id: (await pairedMachine(relay.relay, 'lent')).nodeId, name: randomUUID() }),
  'nodes/remove': async ({ relay }) => ({ id: (await pairedMachine(relay.relay, 'lent')).nodeId }),
  'approvals/list': (_, agent) => ({ agent }),
  'approvals/count': (_, agent) => ({ agent }),
  'approvals/ask': (_, id) => ({ id, approvalId: 'own', kind: 'execute', title: 'Bash: ls' }),
  'approvals/withdraw': (_, id) => ({ id, approvalId: 'own' }),
  'approvals/resolve': async (world, id) => ({ id, approvalId: await asked(world), outcome: 'allow' }),
  'rules/list': (_, agent) => ({ agent }),
  'rules/create': (_, agent) => ({ agentId: agent, command: ['npm', 'test'], folder: '/srv' }),
  'rules/revoke': async ({ owner }, agent) => ({ id: (await owner.rules.create({ agentId: agent, command: ['ls'], folder: '/srv' })).id }),
  'pairs/list': () => ({}),
  'pairs/count': () => ({}),
  'pairs/get': async (world, id) => ({ id: await pairOf(world, id) }),
  'channels/list': () => ({}),
  'channels/get': () => ({ id: 'tg' }),
  'channels/bind': (_, target) => ({ id: 'tg', conversationId: randomUUID(), target }),
  'channels/unbind': async (world, target) => ({ id: 'tg', bindingId: (await bound(world, target)).bindingId }),
  'channels/receive': async (world, target) => {
    const { conversationId } = await bound(world, target);
    return { id: 'tg', conversationId, body: 'x', externalId: randomUUID(), sender: { id: 'u', name: 'Ann' } };
  },
  'channels/link': async (world) => ({ id: 'tg', messageId: await mail(world, 'tg'), conversationId: 'chat', externalIds: [randomUUID()] }),
  'channels/conversation': async (world) => ({
    id: 'tg',
    messageId: await mail(world, 'tg', { meta: { channel: { conversationId: 'chat' } } }),
  }),
  'search/find': () => ({ text: 'x' }),
  'hooks/describe': () => ({}),
  'reservations/list': () => ({}),
  'reservations/check': (_world, agentId) => ({ agentId, kind: 'edit', files: ['/w/a'] }),
  'reservations/create': (world, agentId) => withoutReservations(world, agentId),
  'reservations/renew': async (world, agentId) => ({ id: await reserved(world, agentId), agentId }),
  'reservations/release': async (world, agentId) => ({ id: await reserved(world, agentId), agentId }),
  'audit/list': () => ({}),
  'audit/verify': () => ({}),
  'usage/list': (_, agent) => ({ agent }),
  'hooks/test': () => ({ name: 'none' }),
  'hooks/set': () => ({ trigger: 'task_failed', relay: 'owner' }),
  'hooks/remove': () => ({ name: 'none' }),
  'holds/list': () => ({}),
  'holds/count': () => ({}),
  'holds/get': async (world, id) => ({ id: await heldMessage(world, id) }),
  'holds/release': async (world, id) => ({ id: await heldMessage(world, id) }),
  'holds/refuse': async (world, id) => ({ id: await heldMessage(world, id) }),
  'agents/release': (_, id) => ({ id }),
} satisfies Partial<Record<RouteName, Operation>>;

/** A route that is in neither list is a compile error here. */
type Missing = Exclude<RouteName, keyof typeof acts | keyof typeof others>;
const _everyRouteIsAsked: [Missing] extends [never] ? true : Missing = true;
void _everyRouteIsAsked;
