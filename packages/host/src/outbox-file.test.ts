import { expect, test } from 'vitest';
import { parseOutboxFile } from './outbox-file.ts';

const spawn = (...headers: readonly string[]) => parseOutboxFile(['KIND: spawn', 'NAME: Helper', ...headers, '', 'Fix it.'].join('\n'));

test.each([
  ['codex', ['CLI: codex']],
  ['codex', ['CLI: codex-ws  # new name of the mode']],
  ['codex', ['CLI: codex', 'TRANSPORT: websocket  # optional']],
  ['codex-exec', ['CLI: codex', 'TRANSPORT: cli # a process for each prompt']],
  ['claude', ['CLI: claude #the other one', 'TRANSPORT: # as it is']],
])('%s is what %j starts', (provider, headers) => {
  expect(spawn(...headers)).toEqual({ type: 'spawn', name: 'Helper', provider, task: 'Fix it.' });
});

test.each([
  ['another transport', ['CLI: codex', 'TRANSPORT: pigeon'], '"pigeon" is no transport of codex: it is websocket or cli'],
  ['two that contradict each other', ['CLI: codex-ws', 'TRANSPORT: cli'], '"cli" is no transport of codex-ws: it is websocket'],
  ['a comment alone', ['CLI: # which?'], 'KIND: spawn needs CLI: claude or codex'],
])('%s is refused with what is known', (_title, headers, message) => {
  expect(() => spawn(...headers)).toThrow(expect.objectContaining({ code: 'validation_failed', message }));
});

test('a channel is an address, not a comment', () => {
  expect(parseOutboxFile('TO: #general # everybody\n\nDone # really')).toEqual({
    type: 'message',
    target: '#general',
    body: 'Done # really',
  });
});
