import { describe, expect, test } from 'vitest';
import { isRunner, plainCommand } from './plain-command.ts';

describe('a command is understood', () => {
  test.each([
    ['npm test', ['npm', 'test']],
    ['  npm   test -- --watch=false ', ['npm', 'test', '--', '--watch=false']],
    [`git commit -m 'two words; and $more'`, ['git', 'commit', '-m', 'two words; and $more']],
    ['echo "a b"c', ['echo', 'a bc']],
    [`/bin/bash -lc 'npm test'`, ['npm', 'test']],
    ['sh -c "npm test"', ['npm', 'test']],
    ['bash -lc npm', ['npm']],
    ['bash script.sh', ['bash', 'script.sh']],
  ])('word by word: %s', (command, words) => {
    expect(plainCommand(command)).toEqual(words);
  });

  test.each([
    '',
    ' ',
    'npm test | tee x',
    'npm test; rm -rf /',
    'npm test && rm x',
    'npm test & rm x',
    'npm test\nrm x',
    'npm test\rrm x',
    'npm test > /etc/passwd',
    'npm test < x',
    'npm $(rm x)',
    'npm `rm x`',
    'npm "$(rm x)"',
    'npm "`rm x`"',
    'npm $HOME',
    'npm $' + '{x}',
    'npm "a\\"b"',
    'npm a\\ b',
    'ls *',
    'ls ?',
    'ls [ab]',
    'ls {a,b}',
    'ls ~',
    'ls # rest',
    '(npm test)',
    '! npm test',
    'PATH=/evil npm test',
    `'PATH'=/evil npm test`,
    "npm 'test",
    'npm "test',
    'npm test\tx',
    'npm tést',
    `bash -lc 'npm test; rm x'`,
    `bash -lc 'PATH=/evil npm test'`,
    `bash -lc '$(rm x)'`,
  ])('as nothing at all: %j', (command) => {
    expect(plainCommand(command)).toBeNull();
  });
});

test('a program that runs whatever follows it is known by its name, wherever it lies', () => {
  expect(['bash', '/usr/bin/env', 'sudo', 'xargs', 'npm'].map(isRunner)).toEqual([true, true, true, true, false]);
});
