import { describe, expect, test } from 'vitest';
import { claudeEnvironment } from './environment.ts';

describe('the environment', () => {
  test('an outer Claude session does not leak into the inner one', () => {
    const env = claudeEnvironment({
      CLAUDECODE: '1',
      CLAUDE_CODE_SESSION_ID: 'x',
      CLAUDE_CODE_MESSAGING_TOKEN: 'x',
      CLAUDE_CODE_MAX_RETRIES: '2',
      HOME: '/h',
    });
    expect(env).toMatchObject({ HOME: '/h', CLAUDE_CODE_MAX_RETRIES: '2' });
    expect(Object.keys(env).filter((name) => /CLAUDECODE|SESSION_ID|TOKEN/u.test(name))).toEqual([]);
  });

  test('a git that only looks writes nothing, beside what the environment says to git already', () => {
    const env = claudeEnvironment({ GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'Ann' });
    expect(env).toMatchObject({
      GIT_OPTIONAL_LOCKS: '0',
      GIT_CONFIG_COUNT: '4',
      GIT_CONFIG_KEY_0: 'user.name',
      GIT_CONFIG_VALUE_0: 'Ann',
      GIT_CONFIG_KEY_1: 'diff.autoRefreshIndex',
      GIT_CONFIG_VALUE_1: 'false',
      GIT_CONFIG_KEY_2: 'core.fsmonitor',
      GIT_CONFIG_VALUE_2: 'false',
      GIT_CONFIG_KEY_3: 'safe.bareRepository',
      GIT_CONFIG_VALUE_3: 'explicit',
    });
  });
});
