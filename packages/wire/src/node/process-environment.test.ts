import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { commandLineOf, environmentOf, environmentOfSync, environmentParts } from './process-environment.ts';

type Program = 'none' | 'loading' | 'loaded';

/** A process that is looked at again and again: what it shows each time, the last for ever, and what runs in it after that look. */
function shows(looks: readonly (readonly [text: string | null, after: Program])[]) {
  let count = 0;
  const look = () => looks[Math.min(count, looks.length) - 1];
  return {
    programOf: (): Program => look()?.[1] ?? 'none',
    read: (): string => {
      count += 1;
      const text = look()?.[0] ?? null;
      if (text === null) throw new Error('ENOENT');
      return text;
    },
    looks: () => count,
  };
}

const full = 'A=1\0B=x,y\0';

test.each([
  { what: 'is there', looks: [[full, 'loaded']], says: ['A=1', 'B=x,y'], after: 1 },
  {
    what: 'comes while its program is loaded',
    looks: [
      ['', 'loading'],
      ['', 'loading'],
      [full, 'loaded'],
    ],
    says: ['A=1', 'B=x,y'],
    after: 3,
  },
  {
    what: 'comes between a look and the question',
    looks: [
      ['', 'loaded'],
      [full, 'loaded'],
    ],
    says: ['A=1', 'B=x,y'],
    after: 2,
  },
  { what: 'is empty', looks: [['', 'loaded']], says: [], after: 2 },
  { what: 'never comes', looks: [['', 'loading']], says: null, after: 20 },
  { what: 'went with its program', looks: [['', 'none']], says: null, after: 1 },
  { what: 'cannot be read', looks: [[null, 'none']], says: null, after: 1 },
  {
    what: 'goes while it is waited for',
    looks: [
      ['', 'loading'],
      [null, 'none'],
    ],
    says: null,
    after: 2,
  },
] as const)('an environment that $what', async ({ looks, says, after }) => {
  const [atOnce, meanwhile] = [shows(looks), shows(looks)];
  expect([environmentOfSync(1, atOnce), atOnce.looks()]).toEqual([says, after]);
  const read = async () => meanwhile.read();
  expect([await environmentOf(1, { ...meanwhile, read }), meanwhile.looks()]).toEqual([says, after]);
});

test.runIf(process.platform === 'linux')('a process of this machine, and none', async () => {
  expect([await environmentOf(process.pid), await environmentOf(2 ** 30)]).toEqual([environmentOfSync(process.pid), null]);
  expect(environmentOfSync(process.pid)).toContainEqual(expect.stringMatching(/^PATH=/u));
});

test.runIf(process.platform === 'linux')('the words of a command line, empty ones too', async () => {
  const child = spawn('/bin/sh', ['-c', 'read -r _', '', 'a b', '']);
  expect(await commandLineOf(child.pid ?? 0)).toEqual(['/bin/sh', '-c', 'read -r _', '', 'a b', '']);
  child.stdin.end();
  await once(child, 'exit');
  expect(await commandLineOf(child.pid ?? 0)).toBe(null);
});

test('a variable is read at its commas', () => {
  const environment = ['AB=0', 'A=x=1,y', 'A=z'];
  expect([environmentParts(environment, 'A'), environmentParts(environment, 'B'), environmentParts(null, 'A')]).toEqual([
    ['x=1', 'y'],
    [],
    [],
  ]);
});
