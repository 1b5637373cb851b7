import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/*
 * What it costs to add a resource: lockers, with a rule that lies across agents and lockers, are put into a copy of the sources. New files of their
 * own are free; each existing file that has to know of them is a line of this list.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const fixture = join(root, 'test/fixtures/lockers');
const run = promisify(execFile);

interface Edit {
  readonly file: string;
  /** The line before which something is put in. */
  readonly before: string;
  readonly put: string;
}

const edits: readonly Edit[] = [
  edit('packages/protocol/src/resources.ts', "import { messageEvents } from './events/message-events.ts';", [
    "import { lockerEvents } from './events/locker-events.ts';",
    "import { lockerRoutes } from './routes/locker-routes.ts';",
  ]),
  edit('packages/protocol/src/resources.ts', '  ...pairRoutes,', ['  ...lockerRoutes,']),
  edit('packages/protocol/src/resources.ts', '  ...pairEvents,', ['  ...lockerEvents,']),
  edit('packages/protocol/src/index.ts', "export { nearest } from './nearest.ts';", [
    "export type { Locker } from './locker.ts';",
    "export { LockerSchema } from './locker.ts';",
  ]),
  edit('packages/server/src/domain/event-table.ts', '// Who there is, and where, everybody knows.', [
    "const lockers: EventRow<With<'locker'>> = {",
    '  about: nothing,',
    '  agents: ({ locker }) => [locker.agentId],',
    "  audience: 'nobody',",
    "  readers: 'everybody',",
    '};',
  ]),
  edit('packages/server/src/domain/event-table.ts', "  'pair.requested': pairs,", [
    "  'locker.held': lockers,",
    "  'locker.released': lockers,",
  ]),
  edit('packages/server/src/domain/follow.ts', "import { endsPairs } from './pair-changes.ts';", [
    "import { emptiesLockers } from './locker.ts';",
  ]),
  edit('packages/server/src/domain/follow.ts', '  withoutChannels,', ['  emptiesLockers,']),
  edit('packages/server/src/relay/relay-handlers.ts', "import { messageHandlers } from './mail/message-routes.ts';", [
    "import { lockerHandlers } from './lockers/lockers.ts';",
  ]),
  edit('packages/server/src/relay/relay-handlers.ts', '    ...sessions.handlers,', ['    ...lockerHandlers({ store, clock }),']),
  edit('packages/server/src/cli/resources.ts', "import { loginCommand } from './login.ts';", [
    "import { lockersCommand, lockerWords } from './lockers.ts';",
  ]),
  edit('packages/server/src/cli/resources.ts', '  pairCommand,', ['  lockersCommand,']),
  edit('packages/server/src/cli/resources.ts', '  ...pairWords,', ['  ...lockerWords,']),
];

function edit(file: string, before: string, lines: readonly string[]): Edit {
  return { file, before, put: lines.join('\n') };
}

let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'agent-relay-trial-'));
  cpSync(join(root, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
  for (const name of ['protocol', 'wire', 'client', 'server']) copyPackage(name);
  cpSync(join(fixture, 'packages'), join(copy, 'packages'), { recursive: true });
  cpSync(join(fixture, 'scenario.ts'), join(copy, 'packages/server/scenario.ts'));
  for (const { file, before, put } of edits) {
    const path = join(copy, file);
    const [head, ...tails] = readFileSync(path, 'utf8').split(`${before}\n`);
    expect(tails, `${file} has one line ${before}`).toHaveLength(1);
    writeFileSync(path, `${head}${put}\n${before}\n${tails[0]}`);
  }
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** Also the contracts of the store, which are tests beside it. */
const isTest = /\.test\.ts$|\/store\/[^/]*-contract[^/]*\.ts$/u;

/** Sources are copied, what others wrote is linked, and our own packages see each other's copies. */
function copyPackage(name: string): void {
  const from = join(root, 'packages', name);
  const to = join(copy, 'packages', name);
  const modules = join(to, 'node_modules');
  mkdirSync(modules, { recursive: true });
  cpSync(join(from, 'src'), join(to, 'src'), { recursive: true, filter: (path) => !isTest.test(path) });
  cpSync(join(from, 'package.json'), join(to, 'package.json'));
  writeFileSync(
    join(to, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.base.json', compilerOptions: { types: ['node'] }, include: ['src', '*.ts'] }),
  );
  for (const dependency of readdirSync(join(from, 'node_modules'))) {
    const own = dependency.replace(/^agent-relay-/u, '');
    const target = own === dependency || own === 'connect' ? join(from, 'node_modules', dependency) : join(copy, 'packages', own);
    symlinkSync(target, join(modules, dependency));
  }
}

test('a resource touches at most six sources that are there', () => {
  expect([...new Set(edits.map(({ file }) => file))].length).toBeLessThanOrEqual(6);
});

test('the relay, its commands and its client have it then, and the compiler misses nothing', async () => {
  const sources = ['protocol/src', 'wire/src', 'client/src', 'server/src', 'server/scenario.ts'].map((name) =>
    join(copy, 'packages', name),
  );
  // The compiler that checks the repository's own types: two thirds of the other's processor time, on all processors. Rules of style are not asked.
  const env = { ...process.env, OXLINT_TSGOLINT_PATH: join(root, 'node_modules/.bin/tsgolint') };
  const { stdout } = await run(join(root, 'node_modules/.bin/oxlint'), ['--type-aware', '--type-check', '-A', 'all', ...sources], {
    cwd: copy,
    env,
  }).catch((error: { stdout: string }) => error);
  expect(stdout).toMatch(/^Found 0 warnings and 0 errors\.\nFinished in \S+ on (?:[6-9]\d\d|\d{4}) files /u);
});

test('the rule across the two resources holds, and a relay that starts again knows them', async () => {
  const script = join(copy, 'packages/server/scenario.ts');
  const { stdout } = await run(process.execPath, ['--conditions=agent-relay-source', script, join(copy, 'relay.db')]);
  expect(JSON.parse(stdout)).toEqual({
    isNumbered: true,
    refused: 'busy',
    told: ['locker top left held by Ada', 'locker top right held by Bob', 'locker top left released by Ada'],
    all: [
      ['top right', null],
      ['top left', 'Ada was removed'],
    ],
    own: 1,
  });
});
