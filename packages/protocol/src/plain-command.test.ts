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
    ['/opt/homebrew/bin/bash -c npm', ['npm']],
    ['bash script.sh', ['bash', 'script.sh']],
    [`./bash -c "git status"`, ['./bash', '-c', 'git status']],
    ['/tmp/sh -c npm', ['/tmp/sh', '-c', 'npm']],
    ['/usr/bin/../tmp/sh -c npm', ['/usr/bin/../tmp/sh', '-c', 'npm']],
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
    'npm \u2018x\u2019',
    `npm '\u2018; calc; \u2018'`,
    'npm "\u201d; calc; \u201c"',
    `npm '&calc&'`,
    'npm "&calc&"',
    `npm 'a|b'`,
    `npm 'a>b'`,
    `npm 'a^b'`,
    `npm 'a\\'`,
    'npm %COMSPEC%',
    'npm "%COMSPEC%"',
    `npm '%COMSPEC%'`,
    `npm 'tést'`,
  ])('as nothing at all: %j', (command) => {
    expect(plainCommand(command)).toBeNull();
  });
});

test('a program that runs whatever follows it is known by its name, wherever it lies', () => {
  expect(['npm', 'git', '/usr/bin/make', 'echo'].filter(isRunner)).toEqual([]);
  const runners = [
    ...['bash', '/usr/bin/env', 'sudo', 'xargs', 'ash', 'tcsh', 'busybox', 'setsid', 'flock', 'watch', 'ssh', '.'],
    ...['pwsh', 'PowerShell.EXE', 'C:\\Windows\\System32\\cmd.exe', 'bash.exe', 'C:/Git/bin/BASH.exe'],
  ];
  expect(runners.filter((program) => !isRunner(program))).toEqual([]);
});
