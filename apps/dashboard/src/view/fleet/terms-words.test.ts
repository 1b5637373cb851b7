import { expect, test } from 'vitest';
import { saysTerms } from './terms-words.ts';

test('what the owner of a machine allows is said in words, and nothing where nothing is limited', () => {
  expect(saysTerms({})).toEqual([]);
  expect(
    saysTerms({
      labels: ['gpu', 'linux'],
      capacity: 3,
      modes: ['safe', 'agentic'],
      approvals: ['guarded'],
      spawners: ['owner', 'own-agents'],
      elsewhere: false,
    }),
  ).toEqual([
    'Placed by gpu and linux',
    'At most 3 agents at once',
    'An agent may use no tools or work in its folder',
    'When a message comes it asks you first',
    'Started by people or its own agents',
    'Its agents start none elsewhere',
  ]);
  expect(saysTerms({ capacity: 1, modes: [], approvals: [], spawners: [], elsewhere: true })).toEqual([
    'One agent at a time',
    'No agent may work here',
    'When a message comes none is taken',
    'Started by nobody',
    'Its agents may start others elsewhere',
  ]);
});
