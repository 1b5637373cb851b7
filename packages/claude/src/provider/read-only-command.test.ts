import { describe, expect, test } from 'vitest';
import { isReadOnlyCommand } from './read-only-command.ts';

describe('isReadOnlyCommand', () => {
  test.each(['ls -la', 'cat a.txt | grep x | wc -l', 'git status', 'git log --oneline -5 && ls', 'head -n 3 a; tail b'])(
    'takes %s',
    (command) => {
      expect(isReadOnlyCommand(command)).toBe(true);
    },
  );

  test.each([
    '',
    'rm -rf .',
    'ls; rm a',
    'cat a > b',
    'cat $(touch b)',
    'cat `touch b`',
    'ls & rm a',
    'ls\nrm a',
    'echo $HOME',
    'git push',
    'git -c core.pager=touch log',
    'git diff --output=x',
    'git log --ext-diff',
    'find . -delete',
    'sed -i s/a/b/ x',
    'env ls',
    'cat <(touch b)',
    'FOO=1 ls',
  ])('does not take %j', (command) => {
    expect(isReadOnlyCommand(command)).toBe(false);
  });
});
