import { expect, test } from 'vitest';
import { touchedFiles } from './touched-files.ts';

const written = (command: unknown, more: object = {}) => touchedFiles({ kind: 'execute', cwd: '/w', input: { command, ...more } as never });

test.each<[string, readonly string[]]>([
  ['echo x > a.txt', ['/w/a.txt']],
  ['echo x >>"my file" 2>&1', ['/w/my file']],
  ['make &> log', ['/w/log']],
  ['cat a | tee -a b/../c', ['/w/c']],
  ['rm -rf src lib/*.o', ['/w/src/', '/w/lib/*.o/']],
  ['rm -f a', ['/w/a']],
  ['cd src && touch a; cd .. ; touch b', ['/w/src/a', '/w/b']],
  ['cp a b src/auth', ['/w/src/auth', '/w/src/auth/a', '/w/src/auth/b']],
  ['cp -t /d a', ['/d', '/d/a']],
  ['mv old new', ['/w/old/', '/w/new', '/w/new/old/']],
  ["sed -i 's/a/b/' f.ts", ['/w/s/a/b', '/w/f.ts']],
  ['sudo -n env X=1 dd if=a of=b', ['/w/b']],
  ["bash -lc 'cd d && rm x'", ['/w/d/x']],
  ['sort -o out in', ['/w/out']],
  ['curl -s --output=page https://example.org', ['/w/page']],
  ["find logs -name '*.log' -delete", ['/w/logs/']],
  ['git checkout -- src/a.ts', ['/w/src/a.ts/']],
  ['npx prettier --write src', ['/w/prettier/', '/w/src/']],
  ['(cd sub; echo a > b)', ['/w/sub/b']],
  ['(cd sub; (cd deep; rm a); rm b); (rm c); rm d', ['/w/sub/deep/a', '/w/sub/b', '/w/c', '/w/d']],
  ["cat <<'END' > made\nrm kept\nEND\ntouch last", ['/w/made', '/w/last']],
  ["apply_patch <<'P'\n*** Begin Patch\n*** Update File: a.ts\n*** Move to: b.ts\n*** End Patch\nP", ['/w/a.ts', '/w/b.ts']],
  ["apply_patch <<'P'\n*** Begin Patch\n*** Delete File: a.ts\n \t*** Update File: b.ts\n*** End Patch\nP", ['/w/a.ts', '/w/b.ts']],
  ["cd sub && apply_patch <<'P'\n*** Begin Patch\n*** Update File: a.ts\n*** End Patch\nP", ['/w/sub/a.ts']],
  [`bash -c "cd sub && apply_patch <<'P'\n*** Begin Patch\n*** Add File: a.ts\n*** End Patch\nP\n"`, ['/w/sub/a.ts']],
  [`cat > big <<'END'\n${'word '.repeat(5_000)}\nEND\nrm kept`, ['/w/big', '/w/kept']],
  [
    `apply_patch <<'P'\n*** Begin Patch\n*** Add File: a.ts\n+${'x'.repeat(20_000)}\n*** Delete File: b.ts\n*** End Patch\nP`,
    ['/w/a.ts', '/w/b.ts'],
  ],
])('a command writes what its words say: %s', (command, files) => {
  expect(written(command)).toEqual(files);
});

test.each(['npm test', 'git log && cat a', 'rm "$FILE"', 'cd $X && rm a', 'grep -r "> a" src', 'sed -n 1p a', 'echo \\> a', ''])(
  'what a command may write besides is not told: %s',
  (command) => expect(written(command)).toBeNull(),
);

test('a command is a line, or its words, in the folder that it names', () => {
  expect(written(['bash', '-c', "echo 'it' > a"], { workdir: 'sub' })).toEqual(['/w/sub/a']);
  expect(written(['rm', "it's"])).toEqual(["/w/it's"]);
  expect(written('rm a', { cwd: '/other' })).toEqual(['/other/a']);
  expect(touchedFiles({ kind: 'execute', cwd: undefined, input: { command: 'rm a /b' } })).toEqual(['/b']);
  expect(touchedFiles({ kind: 'read', cwd: '/w', input: { file_path: '/a' } })).toBeNull();
});

test.each<[unknown, readonly string[] | null]>([
  [
    { patch: '*** Begin Patch\n*** Add File: a b.ts \n+x\n*** Update File: /c.ts\n*** Move to: d.ts\n*** End Patch' },
    ['/w/a b.ts', '/c.ts', '/w/d.ts'],
  ],
  ['*** Begin Patch\n*** Delete File: a.ts\n*** End Patch', ['/w/a.ts']],
  [{ patch: 'nothing that names a file' }, null],
])('a patch changes the files that it names: %j', (input, files) => {
  expect(touchedFiles({ kind: 'edit', cwd: '/w', input: input as never })).toEqual(files);
});

test('of very many files that a command writes their folders are told, and of those the one that all are in', () => {
  const names = (count: number, path: (index: number) => string) => Array.from({ length: count }, (_, index) => path(index)).join(' ');
  expect(written(`rm ${names(300, (index) => `src/${index}`)} lib/{a/b,c} doc/*.md top`)).toEqual(['/w/src/', '/w/lib/', '/w/doc/', '/w/']);
  expect(written(`rm ${names(300, (index) => `src/${index}/a`)}`)).toEqual(['/w/src/']);
  const deep = touchedFiles({
    kind: 'execute',
    cwd: `/w/${'deep/'.repeat(40)}`,
    input: { command: `rm ${names(200, (index) => `${index}`)}` },
  });
  expect(deep).toEqual([`/w/${'deep/'.repeat(40)}`]);
  expect(written(`rm ${names(300, (index) => `/${index}/a`)}`)).toEqual(['/']);
});

test('whatever is read ends soon', () => {
  const begun = Date.now();
  for (const text of [
    '"'.repeat(60_000),
    '\\'.repeat(60_001),
    '<<A\n'.repeat(15_000),
    `<<${'a'.repeat(1_000_000)}\n`,
    `${'apply_patch; cd a; '.repeat(800)}${'\n*** Add File: a'.repeat(3_000)}`,
    "a'".repeat(30_000),
    '>'.repeat(60_000),
    '*** Add File: '.repeat(4_000),
    ...Array<string>(150).fill(`cp ${'/'.repeat(16_000)}a b`),
    `${'('.repeat(60_000)}rm a`,
    `${'('.repeat(4_000)}${'rm a)'.repeat(4_000)}`,
  ])
    written(text);
  for (const blank of ['\r', '\u2028', ' ', '\n ', '\r*'])
    touchedFiles({ kind: 'edit', cwd: '/w', input: { patch: blank.repeat(60_000) } });
  expect(Date.now() - begun).toBeLessThan(5_000);
});
