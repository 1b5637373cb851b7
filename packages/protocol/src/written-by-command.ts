import { type ShellScope, type SimpleCommand, simpleCommands } from './shell-words.ts';

/** A path as the command says it, from the folder that it runs in; `isTree`: with all that is below it. */
export interface WrittenPath {
  readonly folder: string;
  readonly path: string;
  readonly isTree: boolean;
}

type Target = Omit<WrittenPath, 'folder'>;

/** As Codex calls them. */
const patcher = /^apply_?patch$/u;
const shells = /^(?:sh|bash|dash|zsh|ksh)$/u;
/** Programs that run what follows them, and the flags of theirs that take a value. */
const before = /^(?:sudo|doas|env|command|builtin|exec|nohup|nice|time|timeout|stdbuf|xargs|if|then|do|else|while|until|!|\{)$/u;
const inPlace = /^(?:--write|--fix(?:=.*)?|--in-place(?:=.*)?)$/u;
const hereDocument = /(?<!<)<<-?[ \t]*(['"]?)([A-Za-z_]\w{0,255})\1/u;
/** More than these are read as commands. */
const MOST_DOCUMENTS = 16;
const LONGEST = 16 * 1024;
/** Codex passes over what is blank before them; a line begins behind a line feed alone, for whatever else ends one is blank too. */
const patchedFile = /(?<![^\n])[^\S\n]*\*\*\* (?:(?:Add|Update|Delete) File|Move to): ([^\n]+)/gu;
const deepest = 4;

/** The files that a patch of Codex's names. */
export const patchedFiles = (text: string): string[] => [...text.matchAll(patchedFile)].map(([, path = '']) => path.trim());

/**
 * What a command line writes, as far as its words tell: where output is redirected to, and what programs are named that are known to write it.
 * What a program decides for itself (a script, a build, `git pull`), and what only a shell can tell (`$X`, `$(…)`), is not known.
 */
export const writtenByCommand = (line: string, folder: string): readonly WrittenPath[] =>
  readCommand(line, folder, { depth: 0, patchers: [] });

interface Reading {
  readonly depth: number;
  /** Where `apply_patch` runs: what the line says of it stands in a document, which is no command. */
  readonly patchers: string[];
}

function readCommand(line: string, folder: string, reading: Reading): readonly WrittenPath[] {
  const { depth, patchers } = reading;
  const places = new Map<ShellScope, Place>();
  const written = simpleCommands(withoutDocuments(line).slice(0, LONGEST)).flatMap((command): readonly WrittenPath[] => {
    const place = placeIn(places, command.scope, folder);
    const words = withoutRunners(command.words);
    const redirected = command.redirectedTo.map((path) => path !== null && { path, isTree: false });
    const [name = '', ...args] = words;
    const program = baseName(name ?? '');
    if (program === 'cd' || program === 'pushd') {
      const to = args.find((word) => word === null || !word.startsWith('-'));
      if (typeof to === 'string') place.cwd = to.startsWith('/') ? to : `${place.cwd}/${to}`;
      place.isTold &&= typeof to === 'string' && to !== '';
      return [];
    }
    const { cwd, isTold } = place;
    if (isTold && patcher.test(program)) patchers.push(cwd);
    const inner = shells.test(program) && depth < deepest ? scriptOf(args) : null;
    const nested = inner === null ? [] : readCommand(inner, cwd, { depth: depth + 1, patchers });
    const targets = [...redirected, ...writtenBy(program, args)].filter((target) => target !== false);
    const told = targets.filter(({ path }) => isTold || path.startsWith('/')).map((target) => ({ ...target, folder: cwd }));
    return [...nested, ...told];
  });
  return [...patchedIn(line, patchers.length === 0 ? [folder] : patchers), ...written];
}

/** In how many folders patches are looked for. */
const MOST_FOLDERS = 2;

function patchedIn(line: string, folders: readonly string[]): readonly WrittenPath[] {
  const places = [...new Set(folders)].slice(0, MOST_FOLDERS);
  return patchedFiles(line).flatMap((path) => places.map((folder) => ({ folder, path, isTree: false })));
}

/** Where the commands of a shell run, once it has begun. */
interface Place {
  cwd: string;
  isTold: boolean;
}

/** A subshell begins where the one around it is. */
function placeIn(places: Map<ShellScope, Place>, scope: ShellScope, folder: string): Place {
  let nearest = scope;
  while (!places.has(nearest) && nearest.outer !== null) nearest = nearest.outer;
  const place = places.get(scope) ?? { ...(places.get(nearest) ?? { cwd: folder, isTold: true }) };
  places.set(scope, place);
  return place;
}

/** What a program reads from the lines that follow is no command. */
function withoutDocuments(text: string): string {
  let [read, rest] = ['', text];
  for (let count = 0; count < MOST_DOCUMENTS; count += 1) {
    const begin = hereDocument.exec(rest);
    if (begin === null) break;
    const [sign, , word = ''] = begin;
    const lineEnd = rest.indexOf('\n', begin.index + sign.length);
    const end = lineEnd === -1 ? null : new RegExp(`\\n[ \\t]*${word}(?=\\n|$)`, 'u').exec(rest.slice(lineEnd));
    if (end === null) break;
    read += `${rest.slice(0, begin.index)}${rest.slice(begin.index + sign.length, lineEnd)}`;
    rest = rest.slice(lineEnd + end.index + end[0].length);
  }
  return read + rest;
}

/** The last name of a path, slashes behind it left out. */
function baseName(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end -= 1;
  return path.slice(path.lastIndexOf('/', end - 1) + 1, end);
}

function withoutRunners(words: SimpleCommand['words']): SimpleCommand['words'] {
  const at = words.findIndex((word) => {
    if (word === null) return true;
    return !before.test(baseName(word)) && !/^(?:\w+=|-|\d+[smhd]?$)/u.test(word);
  });
  return at === -1 ? [] : words.slice(at);
}

function scriptOf(args: SimpleCommand['words']): string | null {
  const flag = args.findIndex((word) => /^-\w*c$/u.test(word ?? ''));
  return flag === -1 ? null : (args[flag + 1] ?? null);
}

/** What the operands of known programs are to them. */
function writtenBy(program: string, args: SimpleCommand['words']): readonly Target[] {
  const said = args.filter((word) => word !== null);
  const flags = said.filter((word) => word.startsWith('-') && word !== '-');
  const operands = said.filter((word) => !word.startsWith('-') && word !== '');
  const all = (isTree: boolean): readonly Target[] => operands.map((path) => ({ path, isTree }));
  const isRecursive = flags.some((flag) => /^-\w*[rRa]|^--(?:recursive|archive)$/u.test(flag));
  switch (program) {
    case 'rm':
    case 'chmod':
    case 'chown':
    case 'chgrp':
      return all(isRecursive);
    case 'tee':
    case 'touch':
    case 'truncate':
    case 'shred':
    case 'unlink':
    case 'rmdir':
    case 'mkdir':
    case 'patch':
    case 'ed':
    case 'ex':
      return all(false);
    case 'cp':
    case 'install':
    case 'ln':
    case 'rsync':
      return copied(said, operands, isRecursive);
    case 'mv':
      return [...operands.slice(0, -1).map((path) => ({ path, isTree: true })), ...copied(said, operands, true)];
    case 'sed':
    case 'perl':
    case 'ruby':
      return flags.some((flag) => /^-[a-zA-Z]*i|^--in-place/u.test(flag)) ? all(false) : [];
    case 'dd':
      return said.flatMap((word) => (word.startsWith('of=') ? [{ path: word.slice(3), isTree: false }] : []));
    case 'sort':
    case 'curl':
    case 'wget':
      return valuesOf(
        args,
        program === 'curl' ? /^(?:-o|--output)$/u : program === 'wget' ? /^(?:-O|--output-document)$/u : /^(?:-o|--output)$/u,
      );
    case 'find':
      return said.some((word) => /^-(?:delete|exec|execdir|ok|okdir)$/u.test(word)) ? startsOf(said) : [];
    case 'git':
      return /^(?:rm|mv|checkout|restore|clean)$/u.test(operands[0] ?? '') ? all(true).slice(1) : [];
    default:
      return flags.some((flag) => inPlace.test(flag)) ? all(true) : [];
  }
}

/** The last operand, or what `-t` names: a file of its own, or the folder that each comes into under its own name. */
function copied(said: readonly string[], operands: readonly string[], isTree: boolean): readonly Target[] {
  const [named] = valuesOf(said, /^(?:-t|--target-directory)$/u);
  const to = named?.path ?? operands.at(-1);
  if (to === undefined) return [];
  const from = named === undefined ? operands.slice(0, -1) : operands.filter((path) => path !== named.path);
  const own = from.map((path) => ({ path: `${to}/${baseName(path)}`, isTree }));
  return [{ path: to, isTree: isTree && from.some((path) => path.endsWith('/.') || path.endsWith('/')) }, ...own];
}

/** The folders that `find` looks through. */
function startsOf(said: readonly string[]): readonly Target[] {
  const first = said.findIndex((word) => /^[-(!]/u.test(word));
  const starts = said.slice(0, first === -1 ? undefined : first);
  return (starts.length === 0 ? ['.'] : starts).map((path) => ({ path, isTree: true }));
}

/** What follows these flags, as a word of its own or behind `=`. */
function valuesOf(args: SimpleCommand['words'], flag: RegExp): readonly Target[] {
  return args.flatMap((word, at) => {
    const [name = '', ...value] = (word ?? '').split('=');
    const given = flag.test(word ?? '') ? args[at + 1] : value.length > 0 && flag.test(name) ? value.join('=') : null;
    return typeof given === 'string' && given !== '' ? [{ path: given, isTree: false }] : [];
  });
}
