import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { program } from './run-cli.ts';
import type { Terminal } from './terminal.ts';

/** Commander says which one it is to nobody. */
const defaultOf = (command: Command): Command | undefined =>
  command.commands.find((each) => each.name() === Reflect.get(command, '_defaultCommandName'));
const withAll = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(withAll)];

test('the help of a command names every option of the subcommand that it runs where none is named', () => {
  const all = withAll(program({ env: {}, cwd: '/' } as Terminal)); // nothing runs
  const found = all.flatMap((command) => {
    const subcommand = defaultOf(command);
    return subcommand ? [{ command, subcommand }] : [];
  });
  expect(found.map(({ command }) => command.name()).sort()).toEqual([
    'agent-relay',
    'agents',
    'audit',
    'callbacks',
    'holds',
    'hooks',
    'nodes',
    'reservations',
    'rules',
    'shares',
  ]);
  const missing = found.flatMap(({ command, subcommand }) => {
    const help = command.helpInformation();
    const shown = subcommand.options.filter(({ hidden }) => !hidden);
    return shown.filter(({ flags }) => !help.includes(`  ${flags} `)).map(({ flags }) => `${command.name()} ${flags}`);
  });
  expect(missing).toEqual([]);
});
