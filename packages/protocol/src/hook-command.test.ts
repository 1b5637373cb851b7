// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of hooks, which no template fills
import { expect, test } from 'vitest';
import { hookCommandFault } from './hook-command.ts';
import { fieldsOf } from './hook-fields.ts';
import { HooksFileSchema } from './hooks-file.ts';

const fault = (command: string | readonly string[]) => hookCommandFault(command, 'file_change');
const said = (command: string | readonly string[]) => hookCommandFault(command, 'turn_complete');

test.each<string | readonly string[]>([
  'echo "$(cat "${file}")"',
  'echo `cat ${file}`',
  'bash -c "ls ${file}"',
  'node -e \'console.log("${file}")\'',
  'awk \'{ print "${file}" }\' list',
  'awk "{ print \\"${file}\\" }" list',
  'eval "ls ${file}"',
  'sh -c ls\\ ${file}',
  'cat <<EOF | sh\n${file}\nEOF',
  'echo "ls ${file}" | bash',
  "printf '%s' '${file}'",
  ['sh', '-c', 'eslint ${file} | tail'],
  ['sh', '-c', '${file}'],
  ['sh', '-c', 'eslint "$1"', '${file}'],
  ['/usr/bin/python3.12', '-c', 'print(1)', '${file}'],
  ['awk', '${file}'],
  ['ssh', 'host', 'ls', '${file}'],
  ['npx', '-c', '${file}'],
  ['deno', '--eval=1', '${file}'],
  ['eslint', '--config=${file}'],
  ['${file}'],
])('a placeholder where a program would read it as code is refused: %j', (command) => {
  expect(fault(command)).toMatch(/\$\{file\} .*: use a variable such as \$HOOK_FILE/u);
});

test('what could be an option of an interpreter is refused unless it is a path', () => {
  expect(said(['node', '${text}'])).toContain('could be an option of node');
  expect(said(['node', 'say.js', '${text}'])).toBeNull();
});

test.each<string | readonly string[]>([
  ['npx', 'eslint', '${file}'],
  ['node', '${file}'],
  ['timeout', '5', 'eslint', '${file}'],
  ['sh', '-c', 'eslint "$HOOK_FILE" | tail'],
  'eslint ${file} "${file}" "in ${file}" | tail',
  "printf '%s' ${file} && node lint.js ${file}",
  'echo "$(date)" "$HOOK_FILE" ${text}',
  'npm run typecheck',
])('what stays a word is taken: %j', (command) => {
  expect(fault(command)).toBeNull();
});

test('a path is never an option', () => {
  const fields = fieldsOf('file_change', { file: '--eval=1', movedTo: '-x', cwd: '-', change: '-deleted' });
  expect(fields).toMatchObject({ file: './--eval=1', movedTo: './-x', cwd: './-', change: '-deleted' });
});

test('the file is told of both with the key', () => {
  const read = (whom: string, hook: object) => {
    const { error } = HooksFileSchema.safeParse({ hooks: { [whom]: { on_released: [hook] } } });
    return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  expect(read('codex', { command: 'ls `${reason}`' })).toEqual([
    expect.stringMatching(/^hooks\.codex\.on_released\.0\.command: \$\{reason\}/u),
  ]);
  expect(read('relay', { relay: 'Lead', debounce: '5s' })).toEqual([
    expect.stringMatching(/^hooks\.relay\.on_released\.0\.debounce: is for hooks of machines/u),
  ]);
  expect(read('relay', { relay: 'Lead' })).toBeUndefined();
});
