import { expect, test } from 'vitest';
import { missedNotifications } from './catch-up.ts';
import { ItemsPage, TurnsPage } from './methods.ts';

const turns = (...raw: object[]) => TurnsPage.parse({ data: raw }).data;
const entries = (...raw: object[]) => ItemsPage.parse({ data: raw.map((item) => ({ turnId: 'x', item })) }).data;

test('completed items and the end of the running turn are told, then the turns that came and went', () => {
  const missed = missedNotifications({
    threadId: 't',
    activeTurnId: 'a',
    turns: turns({ id: 'a', status: 'completed' }, { id: 'b', status: 'inProgress' }),
    itemsByTurn: new Map([
      ['a', entries({ type: 'agentMessage', id: 'seen' }, { type: 'agentMessage', id: 'missed', text: 'hi' })],
      ['b', entries({ type: 'commandExecution', id: 'running', command: 'x', status: 'inProgress' })],
    ]),
    wasSeen: (id) => id === 'seen',
    wasCompleted: () => false,
  });
  expect(missed.map(({ method, params }) => [method, JSON.parse(JSON.stringify(params))])).toMatchObject([
    ['item/completed', { threadId: 't', turnId: 'a', item: { id: 'missed', text: 'hi' } }],
    ['turn/completed', { turn: { id: 'a', status: 'completed' } }],
    ['turn/started', { turn: { id: 'b', status: 'inProgress' } }],
  ]);
});

test('a turn whose end came while we asked is not told again', () => {
  const missed = missedNotifications({
    threadId: 't',
    activeTurnId: 'a',
    turns: turns({ id: 'a', status: 'completed' }),
    itemsByTurn: new Map(),
    wasSeen: () => false,
    wasCompleted: (id) => id === 'a',
  });
  expect(missed).toEqual([]);
});
