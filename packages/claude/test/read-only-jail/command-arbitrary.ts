import fc from 'fast-check';
import { type ProgramOptions, readerPrograms } from '../../src/provider/reader-programs.ts';

const known = [...readerPrograms.keys()];
const others = [
  'rm',
  'touch ran',
  'tee',
  'cp a.txt',
  'mv a.txt',
  'sed',
  'find',
  'sort',
  'env',
  'xargs',
  'awk',
  'git',
  'git push',
  'git checkout',
];
const moreGit = [
  'git commit',
  'git config',
  'git stash',
  'git grep',
  'git archive',
  'git -C src',
  'git -c',
  'git --paginate',
  'FOO=1',
  'time',
  'x=y',
];
const listed = [...readerPrograms.values()].flatMap(({ letters, valueLetters = '', names = [], valueNames = [] }) => [
  ...[...letters, ...valueLetters].map((letter) => `-${letter}`),
  ...names.map((name) => `--${name}`),
  ...valueNames.map((name) => `--${name}=1`),
]);
const dangerous = [
  ...['--output=ran', '--output', '--out=ran', '--outp', '-oran', '-o', '--ext-diff', '--ext-dif', '--textconv', '-C', '-m', '-Oran', '-O'],
  ...[
    '--files0-from=a.txt',
    '--open-files-in-pager=touch',
    '-Otouch',
    '--upload-pack=touch',
    '-c',
    '--exec=touch',
    '--no-index',
    '-delete',
  ],
  ...[
    '--contents=a.txt',
    '--show-signature',
    '--format=%GS',
    '--format=%B',
    '--pretty=%G?',
    '--compile',
    '-f',
    '-F',
    '--follow',
    '-z',
    '-w',
  ],
];
const operands = [
  ...[
    'a.txt',
    'b.txt',
    'src/c.ts',
    'magic',
    'src',
    '.',
    '..',
    '../home',
    '-',
    '--',
    'HEAD',
    'HEAD:a.txt',
    'HEAD..main',
    '1',
    '20',
    'x',
    'ran',
  ],
  ...[
    '*',
    '-*',
    '--*',
    '?',
    '[a-z]*',
    '{a,b}.txt',
    '~/x',
    '~',
    '$HOME',
    '$'.concat('{x:=y}'),
    '$(touch ran)',
    '`touch ran`',
    '<(touch ran)',
    '$((i=1))',
  ],
  ...[
    "'--output=ran'",
    '"--output=ran"',
    '--out"put"=ran',
    "$'--output=ran'",
    '\\--output=ran',
    'core.pager=touch',
    '@',
    'a=b',
    '=ls',
    '+x',
  ],
];
const separators = [
  ' ',
  ' ',
  ' ',
  '  ',
  '\t',
  ' | ',
  ' && ',
  ' || ',
  '; ',
  '|',
  ' |& ',
  ' & ',
  '\n',
  ' > ',
  ' >> ',
  ' < ',
  ' 2> ',
  '&>',
  '<<<',
];
const odd = [...'\'"\\`$(){}[]<>|&;*?!#~^=%+-,:@ \t\n\r\u00a0\u200b\u2028ａ-'];

const piece = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...listed) },
  { weight: 2, arbitrary: fc.constantFrom(...dangerous) },
  { weight: 6, arbitrary: fc.constantFrom(...operands) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom(...'-abcdefghijklmnopqrstuvwxyzCGLOSU=0123'), maxLength: 5 }).map((text) => `-${text}`),
  },
);
const program = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...known) },
  { weight: 1, arbitrary: fc.constantFrom(...others, ...moreGit) },
);
const plain = fc.tuple(program, fc.array(piece, { maxLength: 3 })).map(([name, pieces]) => [name, ...pieces].join(' '));
const ownOptions = ({ letters, valueLetters = '', names = [], valueNames = [] }: ProgramOptions) => [
  ...[...letters, ...valueLetters].map((letter) => `-${letter}`),
  ...names.map((name) => `--${name}`),
  ...valueNames.flatMap((name) => [`--${name}=1`, `--${name}=a.txt`, `--${name}=ran`]),
];
const harmless = operands.slice(0, 17);
const callOf = (more: readonly string[]) =>
  fc
    .constantFrom(...readerPrograms)
    .chain(([name, options]) =>
      fc
        .array(fc.constantFrom(...ownOptions(options), ...harmless, ...more), { maxLength: 4 })
        .map((pieces) => [name, ...pieces].join(' ')),
    );
/** What the judge is likely to take, so that enough of it is run: options of the program itself, harmless operands. */
const likely = callOf([]);
/** The same with an option that no program may be given. */
const tempted = callOf(dangerous);
const joined = fc
  .tuple(fc.oneof(likely, plain), fc.array(fc.tuple(fc.constantFrom(...separators), fc.oneof(likely, plain)), { maxLength: 2 }))
  .map(([first, more]) => first + more.map(([separator, next]) => separator + next).join(''));
/** One character too many, anywhere. */
const spoiled = fc.tuple(joined, fc.constantFrom(...odd), fc.nat()).map(([command, character, at]) => {
  const place = at % (command.length + 1);
  return command.slice(0, place) + character + command.slice(place);
});

/** Shell commands of which about a third only read, and the rest are about to do something else. */
export const anyCommand: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: likely },
  { weight: 2, arbitrary: tempted },
  { weight: 3, arbitrary: joined },
  { weight: 2, arbitrary: spoiled },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);
