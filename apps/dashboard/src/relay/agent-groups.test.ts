import { expect, test } from 'vitest';
import { groupAgents } from './agent-groups.ts';
import { readAgentsShown } from './agents-shown.ts';

const agents = [
  { id: 'Lead', machine: 'studio' },
  { id: 'Tester', machine: 'laptop' },
  { id: 'Worker', machine: 'studio' },
];

test('agents of one group stand together, and the first of each says which and how many', () => {
  const { agents: grouped, groupFrom } = groupAgents(agents, ({ machine }) => machine);
  expect(grouped.map(({ id }) => id)).toEqual(['Lead', 'Worker', 'Tester']);
  expect(Object.fromEntries(groupFrom)).toEqual({ Lead: { name: 'studio', count: 2 }, Tester: { name: 'laptop', count: 1 } });
  const byName = groupAgents(
    agents,
    ({ machine }) => machine,
    (one, other) => one.localeCompare(other),
  );
  expect(byName.agents.map(({ id }) => id)).toEqual(['Tester', 'Lead', 'Worker']);
});

test('how the list is shown is read from the address, and what nobody knows is left out', () => {
  expect(readAgentsShown({ agents: 42, by: 'machine', from: 'Lead' })).toEqual({ agents: '42', by: 'machine' });
  expect(readAgentsShown({ agents: '', by: 'colour' })).toEqual({});
});
