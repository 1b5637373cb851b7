import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Principal, type RouteName, routeNames, type Scope, ScopeSchema } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { mayCall } from './permissions.ts';

const matrix = readFileSync(new URL('../../../../packages/server/test/authority-matrix.md', import.meta.url), 'utf8');

const workspace = 'default';
const every = ScopeSchema.options.filter((scope) => scope !== '*');
const reads: readonly Scope[] = [
  'stats:read',
  'health:read',
  'events:read',
  'channels:read',
  'agents:read',
  'messages:read',
  'tasks:read',
  'pairs:read',
  'sessions:read',
  'nodes:read',
];
const ofAgent: readonly Scope[] = [...reads, 'agents:write', 'messages:write', 'tasks:write', 'pairs:write', 'sessions:write'];
const ofChannel = every.filter((scope) =>
  /^(?:events:read|(?:channels|agents|messages|approvals):read|(?:agents|messages|approvals):write)$/u.test(scope),
);

type Token = Extract<Principal, { type: 'token' }>;
const token = (scopes: readonly Scope[], more: Partial<Token> = {}): Token => ({
  ...{ type: 'token', kind: 'scoped', workspace, tokenId: 't', name: 'given', agentId: null, targets: null, channels: null },
  scopes: [...scopes],
  ...more,
});
const session = (agentId: string): Principal => ({ type: 'agent', workspace, agentId, epoch: 1 });
const integration = (name: string): Principal => ({
  type: 'integration',
  workspace,
  name,
  scopes: [...every],
  targets: null,
  channels: null,
});

/** Who signs in to the dashboard, as the matrix calls them. */
const callers: Readonly<Record<string, Principal>> = {
  owner: { type: 'owner', workspace },
  browser: { type: 'owner', workspace },
  'token *': token(['*']),
  anonymous: { type: 'anonymous', workspace },
  'its session': session('held'),
  'its agent token': token(ofAgent, { kind: 'agent', agentId: 'held' }),
  'its spawner': session('spawner'),
  'its machine': { type: 'node', workspace, nodeId: 'own' },
  'another session': session('stranger'),
  'another agent token': token(ofAgent, { kind: 'agent', agentId: 'stranger' }),
  'another machine': { type: 'node', workspace, nodeId: 'other' },
  'channel token': token(ofChannel, { kind: 'channel', agentId: 'tg' }),
  observer: token([...reads, 'approvals:read', 'workspace:read'], { kind: 'observer' }),
  'every scope': token(every),
  'every scope, for these': token(every, { targets: ['id:held'] }),
  'every scope, for others': token(every, { targets: ['id:elsewhere'] }),
  'stats:read': token(['stats:read']),
  'integration ci': integration('ci'),
  'integration cd': integration('cd'),
};

const isRoute = (name: string): name is RouteName => routeNames.some((route) => route === name);

/** Of each route and caller: what the relay answered, to whatever agent it was about. */
const answers = new Map<RouteName, Map<string, string[]>>();
for (const table of matrix.split('\n\n')) {
  const [head = [], , ...rows] = table.split('\n').flatMap((line) =>
    line.startsWith('|')
      ? [
          line
            .split('|')
            .slice(1, -1)
            .map((cell) => cell.trim()),
        ]
      : [],
  );
  for (const [route = '', ...cells] of rows.filter(([first = '']) => isRoute(first))) {
    if (!isRoute(route)) continue;
    const known = answers.get(route) ?? new Map<string, string[]>();
    answers.set(route, known);
    for (const [index, cell] of cells.entries()) {
      const caller = head[index + 1] ?? '';
      known.set(caller, [...(known.get(caller) ?? []), cell]);
    }
  }
}

/** Callers who differ only in whom they are about. */
const kinds: readonly (readonly string[])[] = [
  ['its session', 'its spawner', 'another session'],
  ['its agent token', 'another agent token'],
  ['its machine', 'another machine'],
  ['integration ci', 'integration cd'],
  ...['owner', 'browser', 'token *', 'anonymous', 'channel token', 'observer', 'every scope', 'stats:read'].map((caller) => [caller]),
  ['every scope, for these', 'every scope, for others'],
];

/** What the page asks about before it offers or reads it. */
const source = fileURLToPath(new URL('..', import.meta.url));
const offered = new Set(
  readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/u.test(path) && !path.includes('.test.'))
    .flatMap((path) => [...readFileSync(join(source, path), 'utf8').matchAll(/(?:[mM]ayCall\([^)']*|route: )'([a-z]+\/[a-z]+)'/gu)])
    .flatMap(([, name = '']) => (isRoute(name) ? [name] : [])),
);

const refusals: ReadonlySet<string> = new Set(['401', 'scope', '–']);

/** Here the table cannot decide. */
const known: Readonly<Record<string, string>> = {
  'tasks/status': 'whose task it is: mayEndTask',
  'channels/bind': 'which channel it is: mayBind',
  'reservations/release': 'whose reservation it is: mayGiveBack',
  'agents/interrupt to its agent token': 'agents steer those that they started: nobody did in the matrix',
  'agents/activity to channel token': 'agents see what those do that they started, and a channel started none',
  'agents/tags to channel token': 'its own card, and no other agent’s',
  'messages/send to channel token': 'in its own name, and no other agent’s',
  'rules/list to its session': 'the page of rules is for people, though an agent may read those that hold for it',
  'rules/list to its machine': 'the same',
  'rules/list to channel token': 'the same',
};

const compared = () =>
  [...answers]
    .filter(([route]) => offered.has(route) && !Object.hasOwn(known, route))
    .flatMap(([route, byCaller]) =>
      kinds.flatMap((callersOfOne) => {
        const [caller = ''] = callersOfOne;
        const cells = callersOfOne.flatMap((each) => byCaller.get(each) ?? []);
        const principal = callers[caller];
        return principal === undefined ? [] : [{ what: `${route} to ${caller}`, cells, isOffered: mayCall(principal, route) }];
      }),
    )
    .filter(({ what }) => !Object.hasOwn(known, what));

test('the matrix tells of every caller, and the page asks about most of what it shows', () => {
  expect(answers.size).toBeGreaterThan(90);
  expect(offered.size).toBeGreaterThan(40);
  const [first = new Map<string, string[]>()] = answers.values();
  expect(Object.keys(callers).filter((caller) => !first.has(caller))).toEqual([]);
});

test('what the relay does for a caller is offered to them', () => {
  expect(compared().flatMap(({ what, cells, isOffered }) => (cells.includes('✓') && !isOffered ? [what] : []))).toEqual([]);
});

test('what the relay refuses a caller whatever it is about is not offered to them', () => {
  const refused = compared().filter(({ cells }) => cells.length > 0 && cells.every((cell) => refusals.has(cell)));
  expect(refused.flatMap(({ what, isOffered }) => (isOffered ? [what] : []))).toEqual([]);
});
