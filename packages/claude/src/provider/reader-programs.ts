/** The options a program may be given. All others are refused, and with them whatever a later version of the program learns to do. */
export interface ProgramOptions {
  /** One-letter options, which may be joined: `-la`. */
  readonly letters: string;
  /** One-letter options with a value, in the same word or the next. */
  readonly valueLetters?: string;
  /** `--name`. */
  readonly names?: readonly string[];
  /** `--name=value`. */
  readonly valueNames?: readonly string[];
  /** `-20`. */
  readonly takesCount?: boolean;
}

const display = ['oneline', 'graph', 'decorate', 'no-decorate', 'abbrev-commit', 'no-color', 'topo-order', 'date-order', 'reverse'];
const which = ['all', 'branches', 'tags', 'remotes', 'merges', 'no-merges', 'first-parent', 'follow'];
const changes = [
  ...['patch', 'no-patch', 'stat', 'shortstat', 'numstat', 'summary', 'name-only', 'name-status', 'no-renames', 'minimal', 'histogram'],
  ...['ignore-all-space', 'ignore-space-change', 'ignore-blank-lines', 'no-ext-diff', 'no-textconv', 'function-context'],
];
const changeValues = ['unified', 'diff-filter', 'word-diff', 'color'];
const history: ProgramOptions = {
  letters: 'pusiwbMCz',
  valueLetters: 'nULSG',
  names: [...display, ...which, ...changes],
  valueNames: [...changeValues, 'max-count', 'skip', 'since', 'until', 'after', 'before', 'author', 'grep', 'date', 'pretty', 'format'],
  takesCount: true,
};

/**
 * Programs that only read with these options, in GNU's, BSD's and BusyBox's versions. Not here on purpose: what can write or run something
 * with an operand alone (`uniq`, `sort`, `find`, `sed`, `tee`, `env`, `xargs`); an option that waits for ever (`tail -f`) or reads names or
 * patterns out of a file.
 *
 * Of git, `status` and `diff` write into the index what they learned of the files' times unless they are told not to (`quietGit`). Programs that the user's own git configuration names (an external diff, a filter) run as always.
 */
export const readerPrograms: ReadonlyMap<string, ProgramOptions> = new Map<string, ProgramOptions>([
  ['ls', { letters: '1aAcdFghHiklLmnopqrRsStuUvxX', names: ['all', 'almost-all', 'human-readable', 'recursive', 'reverse', 'directory'] }],
  ['cat', { letters: 'AbeEnstTv', names: ['number', 'show-all', 'number-nonblank', 'squeeze-blank'] }],
  ['head', { letters: 'qv', valueLetters: 'nc', valueNames: ['lines', 'bytes'], takesCount: true }],
  ['tail', { letters: 'qv', valueLetters: 'nc', valueNames: ['lines', 'bytes'], takesCount: true }],
  ['wc', { letters: 'clmwL', names: ['lines', 'words', 'bytes', 'chars', 'max-line-length'] }],
  ['pwd', { letters: 'LP' }],
  ['echo', { letters: 'neE' }],
  [
    'grep',
    {
      letters: 'EFGPivwxclLoqshHnrRaI',
      valueLetters: 'eABCm',
      names: [
        ...['ignore-case', 'invert-match', 'word-regexp', 'line-regexp', 'count', 'files-with-matches', 'files-without-match'],
        ...['only-matching', 'quiet', 'no-messages', 'with-filename', 'no-filename', 'line-number', 'recursive', 'text'],
        ...['extended-regexp', 'fixed-strings', 'basic-regexp', 'perl-regexp'],
      ],
      valueNames: ['regexp', 'after-context', 'before-context', 'context', 'max-count', 'include', 'exclude', 'exclude-dir', 'color'],
      takesCount: true,
    },
  ],
  ['stat', { letters: 'fLtx', names: ['dereference', 'file-system', 'terse'] }],
  ['file', { letters: 'biLhI', names: ['brief', 'mime', 'mime-type', 'mime-encoding', 'dereference', 'no-dereference'] }],
  ['du', { letters: 'ahsckmbxL', valueLetters: 'd', names: ['all', 'human-readable', 'summarize', 'total'], valueNames: ['max-depth'] }],
  ['df', { letters: 'hHkmTiaP', names: ['human-readable', 'inodes', 'print-type', 'all'] }],
  ['basename', { letters: 'a', valueLetters: 's' }],
  ['dirname', { letters: '' }],
  ['realpath', { letters: 'emsq' }],
  ['which', { letters: 'a' }],
  ['true', { letters: '' }],
  [
    'git status',
    {
      letters: 'sbvz',
      valueLetters: 'u',
      names: ['short', 'branch', 'long', 'porcelain', 'ignored', 'show-stash', 'ahead-behind'],
      valueNames: ['porcelain', 'untracked-files', 'ignored'],
    },
  ],
  ['git log', history],
  ['git show', history],
  [
    'git diff',
    {
      letters: 'puswbMCzR',
      valueLetters: 'US',
      names: [...changes, 'cached', 'staged', 'merge-base', 'no-color', 'quiet', 'exit-code', 'check'],
      valueNames: changeValues,
    },
  ],
  ['git blame', { letters: 'lstewMC', valueLetters: 'L', names: ['porcelain', 'line-porcelain'], valueNames: ['since', 'date'] }],
  [
    'git ls-files',
    {
      letters: 'cdmosktz',
      names: ['cached', 'deleted', 'modified', 'others', 'stage', 'killed', 'exclude-standard', 'full-name', 'error-unmatch'],
    },
  ],
  [
    'git rev-parse',
    {
      letters: 'q',
      names: [
        ...['show-toplevel', 'abbrev-ref', 'short', 'git-dir', 'show-prefix', 'show-cdup', 'is-inside-work-tree'],
        ...['verify', 'symbolic-full-name', 'branches', 'tags', 'all', 'git-common-dir', 'quiet'],
      ],
      valueNames: ['short', 'abbrev-ref'],
    },
  ],
]);
