import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { exampleOf } from './argument-examples.ts';
import { program } from './run-cli.ts';
import type { Terminal } from './terminal.ts';

const all = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(all)];

test('every argument that a command must have is said in words, and by an example', () => {
  const root = program({ env: {}, cwd: '/' } as Terminal); // nothing is shown
  const wanting = all(root).filter(
    (command) => exampleOf(command) === null || command.registeredArguments.some(({ required, description }) => required && !description),
  );
  expect(wanting.map((command) => command.name())).toEqual([]);
});

test('an example has the options without which its command does nothing', () => {
  const root = program({ env: {}, cwd: '/' } as Terminal); // nothing is shown
  const spawn = all(root).find((command) => command.name() === 'spawn');
  expect(spawn && exampleOf(spawn)).toBe('agent-relay spawn claude --name Worker');
});
