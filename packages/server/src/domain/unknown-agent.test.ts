import { expect, test } from 'vitest';
import { unknownAgent } from './unknown-agent.ts';

const agents = ['Worker', 'Lead', 'web-1', 'web-2'].map((agentId) => ({ agentId }));

test.each([
  ['worker', 'Worker'],
  ['Wroker', 'Worker'],
  ['Laed', 'Lead'],
  ['lAED', 'Lead'],
  ['web-3', 'web-1'],
  ['nobody', null],
  ['', null],
])('who means %j most likely means %j', (id, near) => {
  const error = unknownAgent(id, agents);
  expect(error.code).toBe('not_found');
  expect(error.details).toEqual(near === null ? undefined : { near });
  expect(error.message).toBe(near === null ? `No agent has the id ${id}` : `No agent has the id ${id}: did you mean ${near}?`);
});
