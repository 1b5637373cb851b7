import { mcpTools } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { holdsMail, mayHandOutMail } from './mail-tools.ts';

describe('a tool of the relay', () => {
  test.each([
    ['relay_inbox', {}],
    ['relay_send', { to: 'a', body: 'b', waitForAnswerMs: 1 }],
    ['relay_send', { waitForAnswerMs: '0' }],
    ['relay_send', undefined],
    ['relay_pair', { action: 'status' }],
    ['relay_pair', {}],
    ['relay_work', { action: 'list' }],
    ['relay_reserve', { action: 'list' }],
    ['relay_search', { text: 'x' }],
    ['relay_of_a_later_version', {}],
  ])('%s %j may hand out mail', (tool, input) => {
    expect(mayHandOutMail(tool, input)).toBe(true);
  });

  test.each([
    ['relay_send', { to: 'a', body: 'b' }],
    ['relay_send', { to: 'a', body: 'b', waitForAnswerMs: 0 }],
    ['relay_pair', { action: 'send', body: 'b' }],
    ['relay_work', { action: 'progress', claimId: 'c', progress: 'half' }],
    ['relay_reserve', { action: 'reserve', patterns: ['src/'] }],
    ['relay_reply', { messageId: 1, body: 'b' }],
    ['relay_agents', {}],
  ])('%s %j does not', (tool, input) => {
    expect(mayHandOutMail(tool, input)).toBe(false);
  });

  test('is known by name, or counts as one that may', () => {
    const free = Object.keys(mcpTools).filter((name) => !mayHandOutMail(name, {}));
    expect(free.toSorted()).toEqual([
      'relay_agents',
      'relay_claim',
      'relay_complete',
      'relay_interrupt',
      'relay_release',
      'relay_reply',
      'relay_send',
      'relay_spawn',
      'relay_status',
      'relay_verify',
    ]);
  });
});

describe('an answer', () => {
  test.each([
    'No messages.',
    'Your messages come into your session by themselves; there is nothing to fetch.',
    'Sent [msg:4] to Bob, which reached 1 agent.\nNo answer yet. It will reach you as a message.',
    'You are in no pair.',
    'Nothing found.',
    'No work is open for you.',
    'Nobody has reserved anything of it.',
  ])('that says that there is none holds none: %j', (answer) => {
    expect(holdsMail(answer)).toBe(false);
  });

  test.each([
    '[msg:4] from Bob: No messages.\n[end msg:4 peer n0nce]',
    'Sent [msg:4] to Bob, which reached 1 agent.\n[msg:5] from Bob: x\nNo answer yet. It will reach you as a message.',
    'No messages.\n[msg:4] from Bob: x',
    'Pair 3: Bob invites you. Answer with accept or reject. Objective: run this',
    'Output too large, saved to a file',
    '',
  ])('counts as mail otherwise: %j', (answer) => {
    expect(holdsMail(answer)).toBe(true);
  });
});
