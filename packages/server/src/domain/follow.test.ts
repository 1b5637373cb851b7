import type { Agent, Claim, HeldClaim, OpenPair, Task } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { decided } from '../../test/support/asking-store.ts';
import type { Change } from './change.ts';
import type { AddressEntry } from './directory.ts';
import { follow as followAtOnce } from './follow.ts';
import { draftOf, numbered } from './message.ts';
import { pairResource } from './pair.ts';
import { registerAgent } from './registration.ts';
import { type RecordFacts, recordWrite } from './resource.ts';
import type { FollowFacts } from './rule.ts';

const at = 1_000;

const card = (more: Partial<Agent> = {}): Agent => {
  const { agent } = registerAgent({ agent: null, epoch: 0, isBound: false }, { id: 'a', name: 'a' }, null, at);
  return { ...agent, ...more };
};

const entryOf = (agent: Agent): AddressEntry => ({
  ref: 1,
  workspace: 'default',
  agentId: agent.id,
  epoch: agent.epoch,
  spawnedBy: null,
  approval: 'open',
  provenThrough: 0,
  agent,
  intervals: new Map(),
});

const held: HeldClaim = {
  claimId: 'c',
  kind: 'message',
  subjectId: 7,
  agentId: 'a',
  epoch: 1,
  fence: 1,
  claimedAt: at,
  progress: null,
  status: 'held',
  leaseExpiresAt: at + 1,
};

const pair: OpenPair = { id: 3, requester: 'a', target: 'b', objective: 'talk', requestedAt: at, status: 'pending' };

const task: Task = {
  id: 7,
  source: 'ops',
  type: null,
  severity: null,
  title: 'a title',
  body: '',
  target: 'tag:x',
  channel: null,
  dedupeKey: null,
  externalUrl: null,
  metadata: null,
  status: 'open',
  claimedBy: null,
  claimId: null,
  result: null,
  progress: null,
  occurrenceCount: 1,
  lastSeenAt: at,
  createdAt: at,
  updatedAt: at,
  endedAt: null,
};

/** As an engine does it that fetches what a rule asks for and runs them all again. */
const follow = (shown: FollowFacts, change: Change) => decided(followAtOnce, [shown, change]) as Change;

/** Looks up nothing but what is given: whoever asks for more than a change makes matter fails. */
const facts = (given: Partial<FollowFacts>): FollowFacts => {
  const unasked = () => {
    throw new Error('looked up what does not matter');
  };
  const records = { find: unasked, under: unasked };
  return {
    nextId: 1,
    records,
    agent: unasked,
    heldBy: unasked,
    bindingsOf: unasked,
    task: unasked,
    pendingOf: unasked,
    workOn: unasked,
    tokensOf: unasked,
    node: unasked,
    tokensOfNode: unasked,
    isReserved: unasked,
    ...given,
  };
};

/** Of pairs; of nothing else there is any. */
const theOnly = (found: readonly object[]): RecordFacts => ({
  find: () => null,
  under: ({ name }) => (name === pairResource.name ? found : []) as never,
});

const leaving = (before: Agent) =>
  facts({ agent: () => entryOf(before), heldBy: () => [held], pendingOf: () => [], records: theOnly([pair]) });

const typesOf = ({ events = [] }: Change) => events.map(({ type }) => type);

describe('who is no longer there as who it was gives up what it held', () => {
  const online = card({ epoch: 1 });
  const whatFollows = (agent: Agent | null) => follow(leaving(online), { at, agents: [{ id: 'a', agent }] });

  test.each([
    ['went offline', card({ epoch: 1, status: 'offline' }), 'offline', 'a went offline'],
    ['was replaced', card({ epoch: 2 }), 'replaced', 'A newer session of a has taken over'],
    ['was removed', null, 'removed', 'a was removed'],
  ] as const)('who %s', (_title, agent, cause, reason) => {
    const change = whatFollows(agent);
    expect(change.claims).toMatchObject([{ claimId: 'c', status: 'released', reason }]);
    expect(change.records).toMatchObject([{ resource: 'pairs', id: 3, isOpen: false, record: { status: 'ended', cause, reason } }]);
    expect(typesOf(change)).toEqual(['claim.released', 'work.available', 'pair.ended']);
    expect(change.notices?.map(({ draft }) => draft.to)).toEqual(['id:b']);
  });

  test('who stays keeps everything, and nothing is looked up for it', () => {
    const change: Change = { at, agents: [{ id: 'a', agent: card({ epoch: 1, status: 'busy' }) }] };
    expect(follow(facts({ agent: () => entryOf(online) }), change)).toEqual(change);
  });

  test('what the decision itself ends is not ended twice', () => {
    const completed: Claim = { ...held, status: 'completed', endedAt: at, result: 1 } as Claim;
    const ended = { ...pair, status: 'ended', endedAt: at, endedBy: 'a', cause: 'hung_up', reason: null } as never;
    const records = [recordWrite(pairResource, ended)];
    const change = follow(leaving(online), { at, agents: [{ id: 'a', agent: null }], claims: [completed], records });
    expect([change.claims, change.records]).toEqual([[completed], records]);
  });

  test('the reason that the decision gives is told', () => {
    const change = follow(leaving(online), { at, agents: [{ id: 'a', agent: null, because: 'too long away' }] });
    expect(change.claims).toMatchObject([{ reason: 'too long away' }]);
  });
});

test('a channel that is none any more loses its bindings and links, and the log says so', () => {
  const binding = {
    bindingId: 'x',
    channelId: 'a',
    conversationId: 'chat',
    target: 'id:b',
    mode: 'exclusive',
    createdAt: at,
    createdBy: 'owner',
  } as const;
  const nothing = { heldBy: () => [], records: theOnly([]), bindingsOf: () => [binding] };
  const change = follow(facts({ agent: () => entryOf(card({ epoch: 1, kind: 'channel' })), ...nothing }), {
    at,
    agents: [{ id: 'a', agent: null }],
  });
  expect([change.unbound, change.endedChannels, typesOf(change)]).toEqual([[binding], ['a'], ['channel.unbound']]);
});

describe('a task', () => {
  const claim: HeldClaim = { ...held, kind: 'task' };
  const find = { task: () => task };

  test('goes where a claim on it goes, one claim after the other', () => {
    const expired: Claim = { ...claim, claimId: 'old', status: 'expired', endedAt: at } as Claim;
    const was = { task: (): Task => ({ ...task, status: 'claimed', claimedBy: 'z', claimId: 'old' }) };
    const change = follow(facts(was), { at, claims: [expired, claim] });
    expect(change.tasks?.map((step) => [step.type, step.task.claimedBy])).toEqual([
      ['task.released', null],
      ['task.claimed', 'a'],
    ]);
    expect(change.closedWork).toEqual([]);
  });

  test('stays where a step that the decision gives has brought it', () => {
    const step = { task: { ...task, status: 'done' as const, endedAt: at }, type: 'task.completed' as const, by: 'a', detail: null };
    const change = follow(facts({}), { at, claims: [claim], tasks: [step] });
    expect([change.tasks, change.closedWork]).toEqual([[step], [{ kind: 'task', subjectId: 7 }]]);
  });

  test('ends with the message that offered it, while nobody has it', () => {
    const draft = draftOf({
      from: 'ops',
      to: 'tag:x',
      body: '',
      claimable: true,
      sender: { relation: 'system', principal: 'ops' },
      createdAt: at,
    });
    const emptied = [numbered(draft, 7)];
    const open = follow(facts({ ...find, workOn: () => ({ kind: 'task', status: 'open', fence: 0 }) }), { at, emptied });
    expect(open.tasks).toMatchObject([{ type: 'task.canceled', task: { result: 'Its message was deleted' } }]);
    expect(open.closedWork).toContainEqual({ kind: 'task', subjectId: 7 });
    const taken = follow(facts({ workOn: () => ({ kind: 'task', status: 'held', fence: 1 }) }), { at, emptied });
    expect(taken.tasks).toEqual([]);
  });
});
