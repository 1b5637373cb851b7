import type { Abilities, Node, NodeTerms } from 'agent-relay-protocol';
import { expect, it } from 'vitest';
import { placeSession } from './placement.ts';

const offers = (id: string, available = true) => ({ id, available, version: null, reason: available ? null : `Install ${id} first.` });
const place = (nodeId: string, over: Partial<Node> = {}, runningSessions = 0) => ({
  node: {
    nodeId,
    name: nodeId,
    status: 'online',
    version: '1',
    providers: [offers('claude')],
    connectedAt: 0,
    lastSeenAt: 0,
    ...over,
  } satisfies Node,
  runningSessions,
});
const needs = { mode: 'agentic', ask: false, resume: false } as const;
const request = { provider: 'claude', nodeId: null, spawner: null, approval: 'open', needs } as const;
const able = (id: string, over: Partial<Abilities> = {}) => ({
  ...offers(id),
  abilities: {
    steer: 'joins',
    approvals: true,
    diffs: true,
    resume: true,
    modes: ['safe', 'agentic', 'unrestricted'],
    sandbox: [],
    ...over,
  } satisfies Abilities,
});

it('the machine that runs least is chosen, then the first by name', () => {
  expect(placeSession([place('c', {}, 2), place('b', {}, 1), place('a', {}, 1)], request).nodeId).toBe('a');
});

it('machines that are away or lack the provider are passed over', () => {
  const nodes = [place('a', { status: 'offline' }), place('b', { providers: [offers('codex')] }), place('c', {}, 9)];
  expect(placeSession(nodes, request).nodeId).toBe('c');
});

const refusal = (code: string, message: string) => expect.objectContaining({ code, message: expect.stringContaining(message) });
const by = (nodeId: string | null) => ({ ...request, spawner: { nodeId } });

it('what an agent spawns runs on its own machine, and on another one only where both owners say so', () => {
  expect(placeSession([place('a'), place('b', {}, 5)], by('b')).nodeId).toBe('b');
  const onTheOther = (own: NodeTerms | undefined, its: NodeTerms | undefined) => () =>
    placeSession([place('a', its && { terms: its }), place('b', own && { terms: own })], { ...by('b'), nodeId: 'a' }).nodeId;
  const takesOthers = { spawners: ['own-agents', 'other-agents'] } satisfies NodeTerms;
  expect(onTheOther(undefined, takesOthers)).toThrow(
    refusal('forbidden', 'The owner of b does not let agents of that machine start others elsewhere'),
  );
  expect(onTheOther({ elsewhere: true }, undefined)).toThrow(
    refusal('forbidden', 'The owner of a does not let agents that run elsewhere start'),
  );
  expect(onTheOther({ elsewhere: true }, { spawners: ['owner', 'own-agents'] })).toThrow(refusal('forbidden', 'The owner of a'));
  expect(onTheOther({ elsewhere: true }, takesOthers)()).toBe('a');
  // One that runs on no machine is nobody's neighbour.
  expect(placeSession([place('a')], by(null)).nodeId).toBe('a');
  expect(() => placeSession([place('a', { terms: { spawners: ['owner'] } })], by(null))).toThrow(refusal('forbidden', 'elsewhere'));
  expect(() => placeSession([place('a', { terms: { spawners: ['own-agents'] } })], request)).toThrow(
    refusal('forbidden', 'the owner of the relay'),
  );
});

it('labels choose among machines, and an agent that names some may leave its own', () => {
  const nodes = [
    place('a', { terms: { labels: ['gpu'], spawners: ['other-agents'] } }, 3),
    place('b', { terms: { labels: ['gpu', 'eu'], elsewhere: true } }, 9),
  ];
  expect(placeSession(nodes, { ...request, labels: ['eu'] }).nodeId).toBe('b');
  expect(placeSession(nodes, { ...by('b'), labels: ['gpu'] }).nodeId).toBe('a');
  expect(() => placeSession(nodes, { ...request, labels: ['tpu'] })).toThrow(
    refusal('node_unavailable', 'No connected machine has the label tpu'),
  );
  expect(() => placeSession(nodes, { ...request, nodeId: 'a', labels: ['eu'] })).toThrow(
    refusal('node_unavailable', 'a has no label eu; it has gpu'),
  );
});

it('a machine that is full, or whose owner does not allow it, is passed over; where none is left, the refusal says why', () => {
  const full = place('a', { terms: { capacity: 1 } }, 1);
  expect(placeSession([full, place('b', {}, 9)], request).nodeId).toBe('b');
  expect(() => placeSession([full], request)).toThrow(refusal('busy', 'The machine a runs 1 agents at once'));
  expect(placeSession([place('a', { terms: { modes: ['safe'] } }), place('b', {}, 9)], request).nodeId).toBe('b');
  expect(() => placeSession([place('a', { terms: { modes: ['safe'] } })], request)).toThrow(
    refusal('forbidden', 'agents in mode agentic there; allowed: safe'),
  );
  expect(() => placeSession([place('a', { terms: { approvals: ['guarded'] } })], { ...request, nodeId: 'a' })).toThrow(
    refusal('forbidden', 'agents with approval open there; allowed: guarded'),
  );
});

it('a machine can be named by id or by name', () => {
  expect(placeSession([place('n1', { name: 'laptop' })], { ...request, nodeId: 'laptop' }).nodeId).toBe('n1');
});

it.each([
  ['no machine is connected', [], request, 'node_unavailable'],
  ['the machine asked for is not known', [place('a')], { ...request, nodeId: 'x' }, 'not_found'],
  [
    'several machines have the name',
    [place('a', { name: 'x' }), place('b', { name: 'x' })],
    { ...request, nodeId: 'x' },
    'validation_failed',
  ],
  ['the machine asked for is away', [place('a', { status: 'offline' })], { ...request, nodeId: 'a' }, 'node_unavailable'],
  ['nobody has the provider', [place('a', { providers: [] })], request, 'provider_unavailable'],
])('when %s, the code says so', (_title, nodes, asked, code) => {
  expect(() => placeSession(nodes, asked)).toThrow(expect.objectContaining({ code }));
});

it('a provider that is not installed is refused in the machine’s own sentence', () => {
  const nodes = [place('a', { providers: [offers('claude', false)] })];
  expect(() => placeSession(nodes, request)).toThrow('Install claude first.');
  expect(() => placeSession(nodes, { ...request, nodeId: 'a' })).toThrow('Install claude first.');
});

it.each([
  ['a mode', { modes: ['unrestricted'] }, {}, 'work in mode agentic, only in unrestricted'],
  ['an earlier conversation', { resume: false }, { resume: true }, 'go on with an earlier conversation'],
  ['questions to a person', { approvals: false }, { ask: true }, 'ask a person'],
] satisfies [string, Partial<Abilities>, object, string][])(
  'of what it cannot do, %s, the refusal says who can',
  (_title, lacks, asked, what) => {
    const here = place('a', { providers: [able('claude', lacks), able('codex'), able('gemini')] });
    const wanted = { ...request, needs: { ...needs, ...asked } };
    for (const each of [wanted, { ...wanted, nodeId: 'a' }])
      expect(() => placeSession([here, place('b', { providers: [able('acme')] })], each)).toThrow(
        expect.objectContaining({ code: 'unsupported', message: `claude cannot ${what}; acme, codex and gemini can` }),
      );
    expect(() => placeSession([place('a', { providers: [able('claude', lacks)] })], wanted)).toThrow('; nor can any other here');
    // A machine where it can goes before one that runs less, and who says nothing is asked.
    expect(placeSession([here, place('b', { providers: [able('claude')] }, 5)], wanted).nodeId).toBe('b');
    expect(placeSession([here, place('c', {}, 5)], wanted).nodeId).toBe('c');
  },
);
