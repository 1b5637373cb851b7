import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';

test.each([
  ['id:Worker', { type: 'id', id: 'Worker' }, 'id:Worker'],
  ['Worker', { type: 'bare', word: 'Worker' }, 'Worker'],
  ['backend fixer', { type: 'bare', word: 'backend fixer' }, 'backend fixer'],
  ['tag:backend', { type: 'tag', name: 'backend' }, 'tag:backend'],
  ['cap:review', { type: 'capability', name: 'review' }, 'cap:review'],
  ['label:test writer', { type: 'label', name: 'test writer' }, 'label:test writer'],
  ['machine:macmini2', { type: 'machine', name: 'macmini2' }, 'machine:macmini2'],
  ['channel:deploy', { type: 'channel', name: 'deploy' }, 'channel:deploy'],
  ['#deploy', { type: 'channel', name: 'deploy' }, 'channel:deploy'],
  ['broadcast', { type: 'broadcast' }, 'broadcast'],
  ['id:Ünïcode-42', { type: 'id', id: 'Ünïcode-42' }, 'id:Ünïcode-42'],
])('%s is read, and written in one spelling', (text, address, spelling) => {
  expect(parseAddress(text)).toEqual(address);
  expect(formatAddress(parseAddress(text) ?? { type: 'broadcast' })).toBe(spelling);
});

test.each(['', ' Worker', 'id:', 'id:two words', 'tag:two words', 'team:backend', '#', 'cap:a,b', 'tag:a:b', 'line\nbreak'])(
  '%j is no address',
  (text) => {
    expect(parseAddress(text)).toBeNull();
  },
);
