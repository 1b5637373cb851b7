import type { HookTrigger } from './hook.ts';
import { exampleFields, hookPathFields, placeholdersIn } from './hook-fields.ts';
import { isRunner } from './plain-command.ts';

/** Programs that read code where an option says so, or from their first word. */
const interpreters = new Set(
  'node nodejs bun deno tsx ts-node python pypy perl ruby php lua luajit r rscript julia tclsh expect groovy scala elixir swift'.split(' '),
);
/** Whatever follows these is code, or is put together to code. */
const readers = new Set(
  [
    'eval source . trap let [[ ssh su watch parallel script screen tmux at batch cmd powershell pwsh wsl start mshta rundll32 osascript',
    'awk gawk mawk nawk sed gsed make gmake',
  ].flatMap((names) => names.split(' ')),
);

const nameOf = (word: string): string =>
  word
    .replace(/^.*[/\\]/u, '')
    .toLowerCase()
    .replace(/\.(?:exe|com|cmd|bat)$/u, '');
const isReader = (word: string): boolean => readers.has(nameOf(word));
const isInterpreter = (word: string): boolean => isRunner(word) || interpreters.has(nameOf(word).replace(/[\d.]+$/u, ''));
const isCodeOption = (word: string): boolean => /^(?:-[a-z]*[cepr]|--?(?:eval|print|exec|command)(?:=.*)?|\/[ck])$/iu.test(word);

/**
 * Why what an event says could become code in a command of a hook, or null: agents choose the names of files, and what they say. The shell of a
 * line knows them as quoted variables, and a list as words; what else reads them may read them as a program.
 */
export function hookCommandFault(command: string | readonly string[], trigger: HookTrigger): string | null {
  const names = Object.keys(exampleFields(trigger));
  const fault = typeof command === 'string' ? lineFault(command, names) : listFault(command, names);
  return fault && `${fault}: use a variable such as $HOOK_FILE in a script of its own`;
}

function lineFault(line: string, fields: readonly string[]): string | null {
  const [first] = placeholdersIn(line, fields);
  if (first === undefined) return null;
  if (/\$\(|`|[<>]\(|<<|\$'/u.test(line)) return `\${${first}} cannot stand in a line with $(…), backticks, <<, <(…) or $'…'`;
  const quoted = singleQuoted(line).find((text) => placeholdersIn(text, fields).length > 0);
  if (quoted !== undefined) return `\${${first}} cannot stand in single quotes, where a program may read it as code`;
  if (/\|\s*(?:\S*\/)?(?:\w*sh|python[\d.]*|node|perl|ruby)(?:\s|$)/u.test(line))
    return `\${${first}} could be what an interpreter is given to run`;
  return readingFault(
    line.split(/[\s;|&()<>"']+/u).filter((word) => word !== ''),
    first,
  );
}

function listFault(words: readonly string[], fields: readonly string[]): string | null {
  for (const [at, word] of words.entries()) {
    const [name] = placeholdersIn(word, fields);
    if (name === undefined) continue;
    if (at === 0) return `\${${name}} cannot be the program`;
    if (word !== `\${${name}}`) return `\${${name}} must be a word of its own`;
    const before = words.slice(0, at);
    if (/^(?:-[a-z]*[ce]|--eval)$/iu.test(before.at(-1) ?? '')) return `\${${name}} cannot stand behind ${before.at(-1)}`;
    const fault = readingFault(before, name);
    if (fault !== null) return fault;
    const isFirst = before.slice(1).every((each) => each.startsWith('-') && each !== '--');
    if (isInterpreter(before[0] ?? '') && isFirst && !hookPathFields.includes(name))
      return `\${${name}} could be an option of ${before[0]}, or what it runs`;
  }
  return null;
}

function readingFault(words: readonly string[], name: string): string | null {
  const reader = words.find(isReader);
  if (reader !== undefined) return `\${${name}} cannot be given to ${reader}, which may read it as code`;
  const at = words.findIndex(isInterpreter);
  const option = at === -1 ? undefined : words.slice(at + 1).find(isCodeOption);
  return option === undefined ? null : `\${${name}} cannot stand with ${words[at]} ${option}, which may read it as code`;
}

/** What stands in single quotes; the rest of the line where they are not closed. */
function singleQuoted(line: string): readonly string[] {
  const found = line.matchAll(/\\.|"(?:\\.|[^"\\])*"|'([^']*)(?:'|$)/gsu);
  return [...found].flatMap(([, text]) => (text === undefined ? [] : [text]));
}
