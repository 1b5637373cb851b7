import { expect, test } from 'vitest';
import { readFixture } from '../../test/read-fixture.ts';
import { DeliveryEvidence } from './delivery-evidence.ts';

const states = (evidence: DeliveryEvidence, name: string) => readFixture(name).flatMap((notification) => evidence.observe(notification));
const accepted = (messageId: number, state: string, evidence: string) => ({ type: 'input.accepted', messageId, state, evidence });
const item = (method: string, turnId: string, fields: object) => ({ method, params: { threadId: 't', turnId, item: fields } });
const turn = (method: string, id: string, status: string) => ({ method, params: { threadId: 't', turn: { id, status } } });

test('every message of a prompt is delivered with the echo and seen with the first thing the model does', () => {
  const evidence = new DeliveryEvidence();
  evidence.expect('relay-1', [7, 8]);
  expect(states(evidence, 'say')).toEqual([
    accepted(7, 'delivered', 'echo'),
    accepted(8, 'delivered', 'echo'),
    accepted(7, 'seen', 'turn'),
    accepted(8, 'seen', 'turn'),
  ]);
});

test('a model that could not be reached has seen nothing', () => {
  const evidence = new DeliveryEvidence();
  evidence.expect('relay-1', [7]);
  expect(states(evidence, 'failed')).toEqual([accepted(7, 'delivered', 'echo')]);
});

test('what a person typed proves nothing', () => {
  const evidence = new DeliveryEvidence();
  evidence.expect('another', [7]);
  expect(states(evidence, 'say')).toEqual([]);
});

test('a repeated echo is told once', () => {
  const evidence = new DeliveryEvidence();
  evidence.expect('relay-1', [7]);
  const echo = item('item/completed', 'a', { type: 'userMessage', id: 'u', clientId: 'relay-1', content: [] });
  expect([...evidence.observe(echo), ...evidence.observe(echo)]).toEqual([accepted(7, 'delivered', 'echo')]);
});

test('what the model does in an earlier turn does not mean that it saw a later message', () => {
  const evidence = new DeliveryEvidence();
  evidence.expect('relay-1', [7]);
  evidence.observe(item('item/completed', 'b', { type: 'userMessage', id: 'u', clientId: 'relay-1', content: [] }));
  expect(
    evidence.observe(item('item/completed', 'a', { type: 'commandExecution', id: 'late', command: 'x', status: 'completed' })),
  ).toEqual([]);
  expect(evidence.observe(item('item/started', 'b', { type: 'agentMessage', id: 'm' }))).toEqual([accepted(7, 'seen', 'turn')]);
});

test('injected text is seen with the end of the next turn that runs, not with one that fails', () => {
  const evidence = new DeliveryEvidence();
  expect(evidence.injected([14])).toEqual([accepted(14, 'delivered', 'accepted')]);
  const events = [turn('turn/started', 'a', 'inProgress'), turn('turn/completed', 'a', 'failed'), turn('turn/started', 'b', 'inProgress')];
  expect(events.flatMap((notification) => evidence.observe(notification))).toEqual([]);
  expect(evidence.observe(turn('turn/completed', 'b', 'completed'))).toEqual([accepted(14, 'seen', 'turn')]);
});

test('text injected during a turn waits for the next one', () => {
  const evidence = new DeliveryEvidence();
  evidence.observe(turn('turn/started', 'a', 'inProgress'));
  evidence.injected([14]);
  expect(evidence.observe(turn('turn/completed', 'a', 'completed'))).toEqual([]);
});

test('what has not come back is known, for taking it out of a queue', () => {
  const evidence = new DeliveryEvidence();
  evidence.expect('relay-1', [7]);
  evidence.expect('relay-2', [8]);
  states(evidence, 'say');
  expect([...evidence.unconfirmedClientIds]).toEqual(['relay-2']);
});
