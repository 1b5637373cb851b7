import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { servedBy } from '../scripts/lib/relay-process.mjs';
import { Report } from '../scripts/lib/report.mjs';
import { isAllBuilt, runsTheTools } from '../scripts/lib/toolchain.mjs';
import { countTests } from '../scripts/lib/vitest.mjs';

function createReport(options: { mayBeSkipped?: boolean } = {}) {
  const lines: string[] = [];
  return { report: new Report({ print: (text) => lines.push(...text.split('\n')), mayBeSkipped: true, ...options }), lines };
}

test.each([
  ['20.20.2', '9', false],
  ['22.17.1', '10', false],
  ['22.18.0', '10', true],
  ['23.11.1', '10', false],
  ['24.10.0', '10', false],
  ['24.11.0', '10', true],
  ['26.10.0', '10', true],
  ['26.0.0', '9', false],
])('Node %s with Node-API %s runs the tools: %s', (node, napi, expected) => {
  expect(runsTheTools({ node, napi })).toBe(expected);
});

const planned = (...tasks: (readonly [string, string])[]) =>
  `• turbo 2.11.9\n${JSON.stringify({ id: 'x', tasks: tasks.map(([command, status]) => ({ command, cache: { status } })) })}\n`;

test.each([
  [true, planned(['tsup', 'HIT'], ['<NONEXISTENT>', 'MISS'])],
  [false, planned(['tsup', 'HIT'], ['vite build', 'MISS'])],
  [false, 'turbo: not found'],
])('that everything is built is said (%s) where nothing is left to build', (expected, printed) => {
  expect(isAllBuilt(printed)).toBe(expected);
});

test('the last line sums up all checks', () => {
  const { report, lines } = createReport();
  report.add('types', { passed: 1, failed: 0 });
  report.add('tests', { passed: 40, failed: 2, output: 'expected 1, got 2' });
  expect(report.finish()).toBe(1);
  expect(lines.at(-1)).toBe('41 passed, 2 failed');
  expect(lines).toContain('expected 1, got 2');
});

test('above the last line stands every failure, with the first lines of its error', () => {
  const { report, lines } = createReport();
  const failures = [
    { name: 'a.test.ts > one', error: '\nError: expected 1, got 2\n    at a.test.ts:3:5\n' },
    { name: 'b.test.ts', error: 'SyntaxError' },
  ];
  report.add('tests', { passed: 1, failed: 2, failures, output: 'the whole output' });
  report.add('lint', { passed: 0, failed: 1, output: 'unused import\n\n  c.ts:1' });
  report.finish();
  expect(lines.slice(lines.indexOf('failed:'))).toEqual([
    'failed:',
    '  a.test.ts > one',
    '      Error: expected 1, got 2',
    '          at a.test.ts:3:5',
    '  b.test.ts',
    '      SyntaxError',
    '  lint',
    '      unused import',
    '        c.ts:1',
    '',
    '1 passed, 3 failed',
  ]);
});

test.each([
  [2, 14],
  [25, 50],
  [60, 60],
  [70, 60],
])('the end of the output holds all of %i failures, in %i lines', (count, expected) => {
  const { report, lines } = createReport();
  const error = Array.from({ length: 9 }, (_, index) => `line ${index} ${'x'.repeat(500)}`).join('\n');
  const failures = Array.from({ length: count }, (_, index) => ({ name: `test ${index}`, error }));
  report.add('tests', { passed: 0, failed: count, failures });
  report.finish();
  const told = lines.slice(lines.indexOf('failed:') + 1, -2);
  const names = told.filter((line) => /^ {2}\S/u.test(line));
  expect([told.length, names.length, Math.max(...told.map(({ length }) => length)) <= 240]).toEqual([expected, Math.min(count, 60), true]);
  expect(names.at(-1)).toBe(count > 60 ? '  and 11 more' : `  test ${count - 1}`);
});

test('what was skipped is named above the last line', () => {
  const { report, lines } = createReport();
  report.add('tests', { passed: 3, failed: 0, skipped: ['a receipt changes live'] });
  expect(report.finish()).toBe(0);
  expect(lines.at(-1)).toBe('3 passed, 0 failed, 1 skipped');
  expect(lines).toContain('  tests: a receipt changes live');
});

test('in CI a skipped test is a failure', () => {
  const { report, lines } = createReport({ mayBeSkipped: false });
  report.add('tests', { passed: 3, failed: 0, skipped: ['a receipt changes live'] });
  expect(report.finish()).toBe(1);
  expect(lines.at(-1)).toBe('3 passed, 1 failed, 1 skipped');
});

test('a check that throws fails alone, and the next one runs', async () => {
  const { report, lines } = createReport();
  await report.check('build', () => Promise.reject(new Error('no compiler')));
  await report.check('types', () => Promise.resolve({ passed: 1, failed: 0 }));
  report.finish();
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
  expect(lines.join('\n')).toContain('no compiler');
});

test('a test file that could not be loaded counts as a failure', () => {
  const text = JSON.stringify({
    testResults: [
      {
        name: 'a.test.ts',
        status: 'passed',
        assertionResults: [
          { fullName: 'one', status: 'passed' },
          { fullName: 'two', status: 'skipped' },
        ],
      },
      { name: resolve('test/b.test.ts'), status: 'failed', message: 'no such import', assertionResults: [] },
      {
        name: 'c.test.ts',
        status: 'failed',
        assertionResults: [
          {
            fullName: 'three',
            status: 'failed',
            failureMessages: [`Error: no\n    at check (${resolve('c.ts')}:1:2)\n    at run (node:internal/timers:5:1)`],
          },
        ],
      },
    ],
  });
  expect(countTests(text)).toEqual({
    passed: 1,
    failed: 2,
    skipped: ['two'],
    failures: [
      { name: 'test/b.test.ts', error: 'no such import' },
      { name: 'c.test.ts > three', error: 'Error: no\n    at check (c.ts:1:2)' },
    ],
  });
});

const settings = {
  envFile: null,
  settings: [
    { name: 'PORT', value: 4850 },
    { name: 'DB_PATH', value: '/state/relay.db' },
  ],
};

test.each([
  [[], '/state/relay.db', '4850'],
  [['--port', '4900', '--db', '/other.db'], '/other.db', '4900'],
  [['--db=/other.db', '--no-local-node'], '/other.db', '4850'],
])('the page in development goes to the relay that %j starts', (args, databasePath, port) => {
  expect(servedBy(args, () => JSON.stringify(settings))).toEqual({ databasePath, port });
});

test.each([
  ['SIGKILL', 1, 'agent-relay: SIGKILL ended it; start it again\n'],
  ['SIGTERM', 0, ''],
])('a program of ours that %s ends is told with what to do, unless it was asked to end', (signal, code, told) => {
  const supervise = `
    import { spawn } from 'node:child_process';
    import { superviseTogether } from ${JSON.stringify(new URL('../scripts/lib/relay-process.mjs', import.meta.url).href)};
    const child = spawn(process.execPath, ['-e', 'process.kill(process.pid, "${signal}"); setInterval(() => {}, 1000)']);
    process.exit(await superviseTogether([{ child, killed: 'it; start it again' }]));`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', supervise], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([code, told]);
});
