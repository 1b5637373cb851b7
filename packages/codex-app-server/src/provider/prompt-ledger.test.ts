import { expect, test } from 'vitest';
import { readFixture } from '../../test/read-fixture.ts';
import { PromptLedger } from './prompt-ledger.ts';

const prompt = (...messageIds: number[]) => ({ text: 'hi', messageIds });
const states = (ledger: PromptLedger, name: string) => readFixture(name).flatMap((notification) => ledger.observe(notification));
const accepted = (messageId: number, state: string, evidence: string) => ({ type: 'input.accepted', messageId, state, evidence });
const item = (method: string, turnId: string, fields: object) => ({ method, params: { threadId: 't', turnId, item: fields } });
const turn = (method: string, id: string, status: string) => ({ method, params: { threadId: 't', turn: { id, status } } });

test('every message of a prompt is delivered with the echo and seen with the first thing the model does', () => {
  const ledger = new PromptLedger();
  ledger.add('relay-1', prompt(7, 8));
  expect(states(ledger, 'say')).toEqual([
    accepted(7, 'delivered', 'echo'),
    accepted(8, 'delivered', 'echo'),
    accepted(7, 'seen', 'turn'),
    accepted(8, 'seen', 'turn'),
  ]);
});

test('a model that could not be reached has seen nothing', () => {
  const ledger = new PromptLedger();
  ledger.add('relay-1', prompt(7));
  expect(states(ledger, 'failed')).toEqual([accepted(7, 'delivered', 'echo')]);
});

test('what a person typed proves nothing', () => {
  const ledger = new PromptLedger();
  ledger.add('another', prompt(7));
  expect(states(ledger, 'say')).toEqual([]);
});

test('a repeated echo is told once', () => {
  const ledger = new PromptLedger();
  ledger.add('relay-1', prompt(7));
  const echo = item('item/completed', 'a', { type: 'userMessage', id: 'u', clientId: 'relay-1', content: [] });
  expect([...ledger.observe(echo), ...ledger.observe(echo)]).toEqual([accepted(7, 'delivered', 'echo')]);
});

test('what the model does in an earlier turn does not mean that it saw a later message', () => {
  const ledger = new PromptLedger();
  ledger.add('relay-1', prompt(7));
  ledger.observe(item('item/completed', 'b', { type: 'userMessage', id: 'u', clientId: 'relay-1', content: [] }));
  expect(ledger.observe(item('item/completed', 'a', { type: 'commandExecution', id: 'late', command: 'x', status: 'completed' }))).toEqual(
    [],
  );
  expect(ledger.observe(item('item/started', 'b', { type: 'agentMessage', id: 'm' }))).toEqual([accepted(7, 'seen', 'turn')]);
});

test('injected text is seen with the end of the next turn that runs, not with one that fails', () => {
  const ledger = new PromptLedger();
  expect(ledger.injected([14])).toEqual([accepted(14, 'delivered', 'accepted')]);
  const events = [turn('turn/started', 'a', 'inProgress'), turn('turn/completed', 'a', 'failed'), turn('turn/started', 'b', 'inProgress')];
  expect(events.flatMap((notification) => ledger.observe(notification))).toEqual([]);
  expect(ledger.observe(turn('turn/completed', 'b', 'completed'))).toEqual([accepted(14, 'seen', 'turn')]);
});

test('text injected during a turn waits for the next one', () => {
  const ledger = new PromptLedger();
  ledger.observe(turn('turn/started', 'a', 'inProgress'));
  ledger.injected([14]);
  expect(ledger.observe(turn('turn/completed', 'a', 'completed'))).toEqual([]);
});

test('what is found only after its turn died is delivered, and nothing of a later turn counts as reading it', () => {
  const ledger = new PromptLedger();
  ledger.add('relay-1', prompt(7));
  ledger.observe(turn('turn/completed', 'a', 'failed'));
  const echo = item('item/completed', 'a', { type: 'userMessage', id: 'u', clientId: 'relay-1', content: [] });
  expect(ledger.observe(echo)).toEqual([accepted(7, 'delivered', 'echo')]);
  expect(ledger.observe(item('item/started', 'a', { type: 'agentMessage', id: 'm' }))).toEqual([]);
});

test('what has not come back is known in the order in which it was sent, a person’s prompt too', () => {
  const ledger = new PromptLedger();
  ledger.add('relay-1', prompt(7));
  ledger.add('relay-2', prompt(8));
  states(ledger, 'say');
  ledger.add('relay-3', { text: 'mine', messageIds: [] });
  expect(ledger.unconfirmed).toEqual([
    { clientUserMessageId: 'relay-2', input: prompt(8) },
    { clientUserMessageId: 'relay-3', input: { text: 'mine', messageIds: [] } },
  ]);
});
