/** The shell of the line, or a subshell: what is changed there is as it was behind its end. */
export interface ShellScope {
  readonly outer: ShellScope | null;
}

/** One simple command of a line: its words, and where its output is redirected to. A word that only a shell can tell is null. */
export interface SimpleCommand {
  readonly scope: ShellScope;
  readonly words: readonly (string | null)[];
  readonly redirectedTo: readonly (string | null)[];
}

interface Building {
  scope: ShellScope;
  words: (string | null)[];
  redirectedTo: (string | null)[];
  /** What the next word is. */
  next: 'word' | 'target' | 'skipped';
}

const operator = /^(?:\r?\n|;;?&?|&&|\|\|?&?|&(?!>)|[(){}](?=[\s;]|$)|[()])/u;
const redirection = /^(?:\d*|&)(?:>>|>\||>&|>)/u;
const reading = /^\d*(?:<<<|<<-?|<>|<&|<)/u;
const blank = /^(?:[ \t]+|\\\r?\n)/u;

/** The simple commands of a line for a POSIX shell, in order; as far as it can be read without running it. */
export function simpleCommands(line: string): readonly SimpleCommand[] {
  const commands: SimpleCommand[] = [];
  let scope: ShellScope = { outer: null };
  let building: Building = { scope, words: [], redirectedTo: [], next: 'word' };
  const end = (by = '') => {
    if (building.words.length > 0 || building.redirectedTo.length > 0) commands.push(building);
    if (by === '(') scope = { outer: scope };
    if (by === ')') scope = scope.outer ?? scope;
    building = { scope, words: [], redirectedTo: [], next: 'word' };
  };
  for (let rest = line; rest !== ''; ) {
    const skipped = blank.exec(rest)?.[0] ?? (rest.startsWith('#') ? /^[^\n]*/u.exec(rest)?.[0] : undefined);
    const reads = reading.exec(rest)?.[0];
    const redirects = redirection.exec(rest)?.[0];
    const operates = operator.exec(rest)?.[0];
    if (skipped !== undefined) rest = rest.slice(skipped.length);
    else if (redirects !== undefined) {
      building.next = 'target';
      rest = rest.slice(redirects.length);
    } else if (reads !== undefined) {
      building.next = 'skipped';
      rest = rest.slice(reads.length);
    } else if (operates !== undefined) {
      end(operates);
      rest = rest.slice(operates.length);
    } else {
      const { word, length } = firstWord(rest);
      add(building, word);
      rest = rest.slice(length);
    }
  }
  end();
  return commands;
}

function add(building: Building, word: string | null): void {
  if (building.next === 'word') building.words.push(word);
  // `2>&1` names a stream.
  if (building.next === 'target' && !/^(?:\d+|-)$/u.test(word ?? '')) building.redirectedTo.push(word);
  building.next = 'word';
}

function firstWord(text: string): { readonly word: string | null; readonly length: number } {
  let [word, length, isTold] = ['', 0, true];
  while (length < text.length) {
    const rest = text.slice(length, length + 8 * 1024);
    const piece = /^(?:'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\;&|<>()]+))/u.exec(rest);
    if (piece === null) break;
    const [whole, single, double, escaped, plain] = piece;
    const expands = /[$`]/u.test(double?.replaceAll(/\\[\s\S]/gu, '') ?? plain ?? '') || (length === 0 && plain?.startsWith('~') === true);
    isTold &&= !expands;
    word += single ?? double?.replaceAll(/\\([$`"\\\n])/gu, '$1') ?? escaped ?? plain ?? '';
    length += whole.length;
  }
  // What begins no word, such as an open quote, is passed over.
  return length === 0 ? { word: null, length: 1 } : { word: isTold ? word : null, length };
}
