import type { Command } from 'commander';

/** What could stand in the place of an argument, by its name. */
const examples: Readonly<Record<string, string>> = {
  agent: 'Worker',
  approval: '7f3a',
  binding: 'b2c4',
  callback: '12',
  channel: 'telegram',
  claim: 'c81d',
  code: 'WXYZ-1234',
  conversation: '"*"',
  file: 'relay-copy.db',
  hold: '42',
  hook: '"codex.on_turn_complete[0]"',
  id: 't9e1',
  machine: 'laptop',
  message: '42',
  mode: 'guarded',
  name: 'Worker',
  objective: '"agree on the API"',
  pair: '42',
  patterns: 'src/auth/',
  provider: 'claude',
  reservation: '42',
  rule: '42',
  status: 'done',
  target: 'Lead',
  task: '42',
  text: '"How far are you?"',
  to: 'Lead',
  when: 'task_failed --to Lead',
};

/** The same for options that a command cannot do without. */
const optionExamples: Readonly<Record<string, string>> = { '--name': 'Worker' };

/** The command line of a command with an example in the place of each argument and option that it must have; null where one has no example. */
export function exampleOf(command: Command): string | null {
  const path: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) path.unshift(each.name());
  const required = command.registeredArguments.filter((argument) => argument.required).map((argument) => examples[argument.name()]);
  const options = command.options
    .filter(({ mandatory }) => mandatory)
    .flatMap(({ long }) => [long ?? undefined, optionExamples[long ?? '']]);
  const words = [...path, ...required, ...options];
  return words.includes(undefined) ? null : words.join(' ');
}
