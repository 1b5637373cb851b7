import { describe, expect, test } from 'vitest';
import type { ConversationEntry, ModelRequest } from './model-request.ts';
import { callTool, drop, editFile, failWith, hang, runCommand, say, searchWeb, think } from './steps.ts';
import { parseWords, wordScript } from './word-script.ts';

const ask = (...conversation: ConversationEntry[]) =>
  wordScript()({
    vendor: 'openai',
    modelName: 'fake',
    system: '',
    conversation,
    lastUserText: '',
    toolResultsSinceLastAssistant: [],
    tools: [],
    headers: {},
    raw: undefined,
  } satisfies ModelRequest);

const user = (text: string): ConversationEntry => ({ kind: 'userText', text });
const called = (name: string): ConversationEntry => ({ kind: 'toolCall', id: name, name, input: {} });
const result = (name: string): ConversationEntry => ({ kind: 'toolResult', id: name, name, text: 'ok', isError: false });

describe('the words', () => {
  test.each([
    ['say: hello', [say('hello')]],
    ['say: one\\ntwo', [say('one\ntwo')]],
    ['think: hm && then say: done', [think('hm'), say('done')]],
    ['slow 2 5', [say('word001 word002 ', { chunks: 2, delayMs: 5 })]],
    ['hang', [hang()]],
    ['hang 30 && then drop', [hang(30), drop()]],
    ['run command: ls -la | wc -l', [runCommand('ls -la | wc -l')]],
    ['edit file: src/a.txt | a | b', [editFile('src/a.txt', 'a | b')]],
    ['error 529 overloaded_error', [failWith(529, 'overloaded_error')]],
    ['error 500', [failWith(500)]],
    ['search web: how tall && then say: tall', [searchWeb('how tall'), say('tall')]],
    ['call relay_agents {}', [callTool('relay_agents', {})]],
  ])('%s', (text, steps) => {
    expect(parseWords(text)).toEqual(steps);
  });

  test('stand anywhere in a text, such as an envelope', () => {
    expect(parseWords('[msg:42] from Lead: Please say: hello\n[end msg:42 lead n0nce]')).toEqual([say('hello')]);
  });

  test('of a call keep what its JSON says, other words included', () => {
    const body = 'edit file: a.txt | {x} && then call relay_reply {"body":"\\"done\\""}';
    const text = `call relay_send ${JSON.stringify({ to: 'Worker', body })} && then say: sent`;
    expect(parseWords(text)).toEqual([callTool('relay_send', { to: 'Worker', body }), say('sent')]);
  });

  test('are missing in prose', () => {
    expect(parseWords('Call me when the error is gone, they say.')).toEqual([]);
  });
});

describe('a chain', () => {
  const chain = user('say: first && then run command: ls && then call relay_inbox {} && then say: last');

  test('stops at each call and goes on with its result', () => {
    const first: ConversationEntry[] = [{ kind: 'assistantText', text: 'first' }, called('exec_command'), result('exec_command')];
    const second = [called('relay_inbox'), result('relay_inbox')];
    expect(ask(chain)).toEqual([say('first'), runCommand('ls')]);
    expect(ask(chain, ...first)).toEqual([callTool('relay_inbox', {})]);
    expect(ask(chain, ...first, ...second)).toEqual([say('last')]);
    expect(ask(chain, ...first, ...second, { kind: 'assistantText', text: 'last' }, user('Thanks.'))).toEqual(say('Done.'));
  });

  test('goes on behind a search that the endpoint runs', () => {
    expect(ask(user('search web: how tall && then say: tall'))).toEqual([searchWeb('how tall'), say('tall')]);
  });

  test('gives way to newer words', () => {
    expect(ask(chain, called('exec_command'), result('exec_command'), user('say: instead'))).toEqual([say('instead')]);
  });
});

test('a conversation without words is answered all the same', () => {
  expect(ask(user('Good morning.'))).toEqual(say('Nothing to do.'));
});
