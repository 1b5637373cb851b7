import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isReadOnlyCommand } from '../src/provider/read-only-command.ts';
import { anyCommand } from './read-only-jail/command-arbitrary.ts';
import { Jail } from './read-only-jail/jail.ts';
import { fuzzReadOnly } from './read-only-jail/run-fuzz.ts';

const onPosix = process.platform !== 'win32';

describe('whatever is called read-only', () => {
  test.runIf(onPosix)('changes nothing in the folder that it runs in, nor anywhere else', async () => {
    const report = await fuzzReadOnly({ commands: 1_200, seed: 20_261, isReadOnly: isReadOnlyCommand });
    expect(report.guilty).toEqual([]);
    expect(report.allowed).toBeGreaterThan(200);
  });

  test.runIf(onPosix)('would be found out: a judge that lets one writing option through is caught', async () => {
    const option = '--output=ran';
    const careless = (command: string) => command.includes(option) && isReadOnlyCommand(command.replaceAll(option, '--stat'));
    const { guilty } = await fuzzReadOnly({ commands: 20_000, seed: 1, isReadOnly: careless, most: 1 });
    expect(guilty.map(({ did }) => did.length > 0)).toEqual([true]);
  });

  test.runIf(onPosix)('is looked at by a jail that sees each way of changing something', async () => {
    using jail = new Jail();
    const writes = [
      'touch x',
      'echo hi >> a.txt',
      'mkdir y',
      'chmod +x a.txt',
      'rm b.txt',
      'ln -s a z',
      'git add .',
      'touch ../home/.profile',
    ];
    for (const command of writes) {
      expect([command, (await jail.run([command])).changed.length > 0]).toEqual([command, true]);
      jail.reset();
    }
    if (jail.hasNamespaces) expect((await jail.run(['touch /var/tmp/outside-the-jail'])).refusedWrites).toHaveLength(1);
  });

  test('is written with characters that no shell reads anything into', () => {
    fc.assert(
      fc.property(anyCommand, (command) => {
        fc.pre(isReadOnlyCommand(command));
        return /^[\w./,:=@+| &;\t-]*$/u.test(command) && !/(?<!&)&(?!&)/u.test(command);
      }),
      { numRuns: 2_000 },
    );
  });

  test('stops to be so with one more character that a shell does read something into, wherever it stands', () => {
    const special = fc.constantFrom(...'\'"\\`$(){}[]<>*?!#~^%&\n\r\0');
    fc.assert(
      fc.property(anyCommand, special, fc.nat(), (command, character, at) => {
        const place = at % (command.length + 1);
        // A third `&` makes no difference to what `&&` already ended.
        fc.pre(character !== '&' || !/&/u.test(command));
        return !isReadOnlyCommand(command.slice(0, place) + character + command.slice(place));
      }),
      { numRuns: 5_000 },
    );
  });
});
