/** Programs that only read, however they are called. Programs with an option that writes or runs others are not among them. */
const readers = new Set([
  'ls',
  'cat',
  'head',
  'tail',
  'wc',
  'pwd',
  'echo',
  'grep',
  'stat',
  'file',
  'du',
  'df',
  'basename',
  'dirname',
  'realpath',
  'which',
  'true',
]);
const gitReaders = new Set(['status', 'log', 'show', 'diff', 'blame', 'ls-files', 'rev-parse']);

/**
 * Whether a shell command is so plain that it can only read: known programs joined by pipes, `&&`, `||` or `;`, without
 * redirection, substitution, variables, jobs or escapes. Says no to much that is harmless; says yes to nothing that is not.
 */
export function isReadOnlyCommand(command: string): boolean {
  if (/[<>$`\\(){}\n\r~!#]/u.test(command) || /(?<!&)&(?!&)/u.test(command)) return false;
  return command.split(/&&|\|\||[|;]/u).every((part) => isReader(part.trim()));
}

function isReader(part: string): boolean {
  const [program = '', ...args] = part.split(/\s+/u);
  if (program === 'git')
    return gitReaders.has(args[0] ?? '') && !args.some((argument) => /^(?:--output|--ext-diff|-O|--textconv)/u.test(argument));
  return readers.has(program);
}
