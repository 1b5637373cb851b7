import { describe, expect, test } from 'vitest';
import { describeStep, type Step } from './steps.ts';
import { planUpgrade, type UpgradeSituation } from './upgrade-plan.ts';

const run = (...command: string[]): Step => ({ type: 'run', command });
const plan = (more: Partial<UpgradeSituation> = {}) =>
  planUpgrade({
    installation: { type: 'npm-global', prefix: '/usr/local' },
    current: '0.1.0',
    latest: '0.2.0',
    companions: [(version) => [run('companion', version)]],
    restart: [run('restart')],
    check: run('check'),
    ...more,
  }).map(describeStep);

describe('an upgrade', () => {
  test('installs, brings the companions to the same version, checks, and only then restarts', () => {
    expect(plan()).toEqual([
      'run   npm install --global --prefix /usr/local agent-relay-server@0.2.0',
      'run   companion 0.2.0',
      'run   check',
      'run   restart',
    ]);
  });

  test('of a project goes into the project', () => {
    expect(plan({ installation: { type: 'npm-project', folder: '/p' } })[0]).toBe('run   npm install --prefix /p agent-relay-server@0.2.0');
  });

  test.each(['0.1.0', '0.0.9', '0.1.0-beta.1'])('to %s, which is not newer, leaves the relay as it is and restarts nothing', (latest) => {
    expect(plan({ latest })).toEqual([`run   companion ${latest}`]);
    expect(plan({ latest, companions: [] })).toEqual([]);
  });

  test.each([
    ['0.10.0', '0.9.9'],
    ['1.0.0', '0.9.9'],
    ['0.2.0', '0.2.0-rc.1'],
  ])('%s is newer than %s', (latest, current) => expect(plan({ latest, current })).toHaveLength(4));

  test.each([
    [{ type: 'npx' }, 'npx agent-relay-server@0.2.0'],
    [{ type: 'checkout', folder: '/src' }, 'git pull'],
    [{ type: 'other', by: 'pnpm' }, 'pnpm add --global agent-relay-server@0.2.0'],
    [{ type: 'other', by: 'unknown' }, 'npm install --global agent-relay-server@0.2.0'],
  ] as const)('of %o is refused with the command that does it', (installation, command) => {
    expect(() => plan({ installation })).toThrow(command);
  });

  test('an answer that is no version never becomes part of a command', () => {
    expect(() => plan({ latest: '1.0.0; rm -rf /' })).toThrow('no version');
  });
});
