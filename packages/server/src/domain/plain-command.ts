/** Words that every shell takes as they stand: no expansion, glob, redirection or comment can be written with them. */
const plain = /^[A-Za-z0-9_./,:@%+=-]+/u;
/** Nothing but the closing quote means anything in these, with what could mean something left out. */
const quoted = /^(?:'([^'\p{Cc}]*)'|"([^"$`\\!\p{Cc}]*)")/u;
const shells = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh']);

/**
 * The words of one plain command, as its program gets them; null for whatever else a shell would make of it: pipes, lists, substitutions,
 * redirections, globs, assignments, line ends. The shell that a vendor puts around a command is taken off.
 */
export function plainCommand(command: string): readonly string[] | null {
  const words = wordsOf(command);
  const [shell = '', flag = '', script = ''] = words ?? [];
  if (words?.length !== 3 || !shells.has(nameOf(shell)) || !/^-l?c$/u.test(flag)) return words;
  return wordsOf(script);
}

/** Programs that run whatever follows them: a rule for one of these would be a rule for everything. */
const runners = new Set([
  ...shells,
  'fish',
  'env',
  'sudo',
  'doas',
  'su',
  'xargs',
  'eval',
  'exec',
  'command',
  'builtin',
  'source',
  '.',
  'nohup',
  'time',
  'nice',
  'timeout',
]);

export const isRunner = (program: string): boolean => runners.has(nameOf(program));

const nameOf = (program: string): string => program.slice(program.lastIndexOf('/') + 1);

function wordsOf(command: string): readonly string[] | null {
  const words: string[] = [];
  let rest = command.replace(/^ +/u, '');
  while (rest !== '') {
    const word = firstWord(rest);
    if (word === null) return null;
    words.push(word.value);
    rest = rest.slice(word.length).replace(/^ +/u, '');
  }
  // An assignment before the program changes what the program is.
  return words.length === 0 || words[0]?.includes('=') ? null : words;
}

function firstWord(text: string): { readonly value: string; readonly length: number } | null {
  let [value, length] = ['', 0];
  while (length < text.length && text[length] !== ' ') {
    const rest = text.slice(length);
    const found = plain.exec(rest) ?? quoted.exec(rest);
    if (found === null) return null;
    const [whole, single, double] = found;
    value += single ?? double ?? whole;
    length += whole.length;
  }
  return { value, length };
}
