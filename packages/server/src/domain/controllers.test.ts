import { type Approval, HOOK_MESSAGE_KIND, watchingLimits } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import type { Change } from './change.ts';
import { afterSteering, forgetControllers, notesControllers, STEERED, type Steering, steeringOf } from './controllers.ts';
import type { AddressEntry } from './directory.ts';
import { draftOf } from './message.ts';
import { registerAgent } from './registration.ts';
import type { FollowFacts } from './rule.ts';

const at = 5_000_000;
const { steeringMs, sameActMs, controllers: most } = watchingLimits;

const steering = (...controllers: Steering['controllers']): Steering => ({
  id: 3,
  agentId: 'Worker',
  sessionId: 's1',
  controllers,
  isOver: false,
});
const by = (name: string, lastAt: number, since = lastAt) => ({ by: name, since, lastAt });

/** Worker has the session s1, and so far it is steered as is said. */
function facts(kept: Steering | null, sessionId: string | null = 's1'): FollowFacts {
  const unasked = () => {
    throw new Error('looked up what does not matter');
  };
  const { agent } = registerAgent({ agent: null, epoch: 0, isBound: false }, { id: 'Worker', name: 'Worker' }, null, 0);
  const entry = { agentId: 'Worker', agent: { ...agent, sessionId } } as AddressEntry;
  return {
    nextId: 40,
    agent: (id) => (id === 'Worker' ? entry : undefined),
    records: {
      find: unasked,
      under: (_resource, key) => (kept !== null && [STEERED, steeringOf('s1')].includes(key) ? [kept] : []) as never,
    },
    ...{ heldBy: unasked, bindingsOf: unasked, task: unasked, pendingOf: unasked, workOn: unasked },
    ...{ tokensOf: unasked, node: unasked, tokensOfNode: unasked, isReserved: unasked },
  };
}

const mail = (more: Partial<Parameters<typeof draftOf>[0]>, principal = 'owner'): Change => {
  const sender = { relation: 'peer', principal } as const;
  const draft = draftOf({ from: 'Lead', to: 'id:Worker', body: 'Stop', mode: 'urgent', sender, hops: 0, createdAt: at, ...more });
  return { at, sent: [{ draft, matched: 1 }] };
};
const answer = (more: object = {}): Change => {
  const question = { approvalId: 'a', agentId: 'Worker', sessionId: 's1', kind: 'edit', title: 'x', requestedAt: 0 };
  const end = { status: 'allowed', resolvedAt: at, by: 'token:ci', message: null };
  return { at, approvals: [{ ...question, ...end, ...more } as Approval] };
};
const controllersOf = ({ events = [] }: Change) =>
  events.flatMap((event) => (event.type === 'controllers.updated' ? [event.controllers.map((each) => each.by)] : []));

describe('who steers', () => {
  test.each([
    ['mail that interrupts', mail({}), 'owner'],
    ['mail that goes into the turn', mail({ mode: 'now' }, 'agent:Lead'), 'agent:Lead'],
    ['mail that a machine sends for its agent', mail({}, 'node:n1'), 'agent:Lead'],
    ['an answer', answer(), 'token:ci'],
    ['an answer of a person behind a channel', answer({ by: 'person:ann@telegram' }), 'person:ann@telegram'],
    ['what a change says itself', { at, steers: [{ agentId: 'Worker', by: 'owner' }] }, 'owner'],
  ] as const)('by %s', (_title, change, name) => {
    const next = notesControllers(facts(null), change);
    const controllers = [by(name, at)];
    const told = { type: 'controllers.updated', at, agentId: 'Worker', sessionId: 's1', joined: [name], left: [], controllers };
    expect(next.events).toEqual([told]);
    expect(next.records).toMatchObject([{ resource: 'steering', id: 40, isOpen: true, record: { sessionId: 's1', controllers } }]);
  });

  test.each([
    ['mail for the next turn', mail({ mode: 'next' })],
    ['mail to many', mail({ to: 'tag:ops' })],
    ['its own mail', mail({ from: 'Worker' }, 'agent:Worker')],
    ['what a hook sends', mail({ kind: HOOK_MESSAGE_KIND })],
    ['what the relay says', mail({}, 'relay')],
    ['a rule that answers', answer({ by: 'rule:4' })],
    ['a question that nobody answered', answer({ status: 'cancelled', by: 'session' })],
    ['an answer to another session', answer({ sessionId: 'own/1/Worker' })],
    ['an agent itself', { at, steers: [{ agentId: 'Worker', by: 'agent:Worker' }] }],
  ])('not by %s', (_title, change) => {
    expect(notesControllers(facts(null), change)).toEqual(change);
  });

  test('an agent without a session of a machine is steered by nobody', () => {
    expect(notesControllers(facts(null, null), mail({}))).toEqual(mail({}));
  });
});

test('who steers again is not told of again, and within a minute not written', () => {
  const kept = steering(by('owner', at - sameActMs + 1));
  expect(notesControllers(facts(kept), mail({}))).toEqual(mail({}));
  const later = notesControllers(facts(steering(by('owner', at - sameActMs, 7), by('token:ci', at - 1))), mail({}));
  expect(controllersOf(later)).toEqual([]);
  expect(later.records).toMatchObject([{ id: 3, record: { controllers: [by('token:ci', at - 1), by('owner', at, 7)] } }]);
});

test('the list is bounded: the one that steered longest ago leaves it', () => {
  const full = Array.from({ length: most }, (_, index) => by(`token:t${index}`, at - most + index));
  const next = notesControllers(facts(steering(...full)), mail({}));
  expect(next.events).toMatchObject([{ joined: ['owner'], left: ['token:t0'] }]);
  expect(controllersOf(next)[0]).toHaveLength(most);
  expect(afterSteering(full, 'token:t0', at + sameActMs).map((each) => each.by)).toEqual([
    ...full.slice(1).map((each) => each.by),
    'token:t0',
  ]);
});

test('who has not steered for a while leaves, and is told of once', () => {
  const kept = steering(by('owner', at - steeringMs), by('token:ci', at - steeringMs + 1));
  const { change } = forgetControllers(facts(kept), at);
  expect(change?.events).toMatchObject([{ joined: [], left: ['owner'], controllers: [by('token:ci', at - steeringMs + 1)] }]);
  expect(forgetControllers(facts(steering(by('token:ci', at - steeringMs + 1))), at).change).toBeNull();
});

test('with the session ends what is kept of it, in the same change and without a word', () => {
  const session = { sessionId: 's1', agentId: 'Worker', status: 'ended' } as NonNullable<Change['sessions']>[number];
  const next = notesControllers(facts(steering(by('owner', at))), { ...mail({}), sessions: [session] });
  expect(controllersOf(next)).toEqual([]);
  expect(next.records).toMatchObject([{ id: 3, isOpen: false, keys: [] }]);
});
