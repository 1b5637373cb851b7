import { type ProgramOptions, readerPrograms } from './reader-programs.ts';

/**
 * Words that every shell takes as they stand: no quote, escape, glob, expansion, assignment to the shell or redirection can be written
 * with them, so that what is judged here is what the program gets. `%` is not among them because git runs gpg for some of its formats.
 */
const word = /^[A-Za-z0-9_./,:@+-][A-Za-z0-9_./,:=@+-]*$/u;

/**
 * Whether a shell command is so plain that it can only read: known programs with known options, joined by pipes, `&&`, `||` or `;`. Says no
 * to much that is harmless; says yes to nothing that is not.
 */
export function isReadOnlyCommand(command: string): boolean {
  return command.split(/&&|\|\||[|;]/u).every((part) => isReader(part.split(/[ \t]+/u).filter((piece) => piece !== '')));
}

function isReader([program = '', ...rest]: readonly string[]): boolean {
  if (!rest.every((piece) => word.test(piece))) return false;
  if (program !== 'git') return isAllowed(rest, readerPrograms.get(program));
  const [verb = '', ...args] = rest;
  return isAllowed(args, readerPrograms.get(`git ${verb}`));
}

/** Every word that a program could take for an option is one of those listed, wherever it stands and whatever `--` precedes it. */
const isAllowed = (args: readonly string[], options: ProgramOptions | undefined): boolean =>
  options !== undefined && args.every((argument) => !/^[-+]/u.test(argument) || isListed(argument, options));

function isListed(
  argument: string,
  { letters, valueLetters = '', names = [], valueNames = [], takesCount = false }: ProgramOptions,
): boolean {
  if (argument === '-' || argument === '--') return true;
  if (takesCount && /^-\d+$/u.test(argument)) return true;
  if (argument.startsWith('--')) {
    const [name = '', ...value] = argument.slice(2).split('=');
    // Whole names only: programs take any beginning of one that is unambiguous to them.
    return value.length === 0 ? names.includes(name) : valueNames.includes(name);
  }
  const [, flags = '', value = ''] = new RegExp(`^-([${letters}]*)((?:[${valueLetters}].*)?)$`, 'u').exec(argument) ?? [];
  return flags !== '' || value !== '';
}
