import { describe, expect, test } from 'vitest';
import { claudeEnvironment, environmentOfDialled } from './environment.ts';

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

test('one that dials in as an agent is marked as that agent, and as nothing of the session whose shell it came from', () => {
  const url = 'ws://127.0.0.1:4850/claude/Lead/ar_dial_1?mode=safe';
  const outer = {
    PATH: '/bin',
    AGENT_RELAY_ID: 'Outer',
    AGENT_RELAY_AGENT_ID: 'Outer',
    AGENT_RELAY_TOKEN: 't',
    AGENT_RELAY_PLUGIN_SESSION: '1',
  };
  expect(environmentOfDialled(outer, url)).toEqual({ PATH: '/bin', AGENT_RELAY_AGENT_ID: 'Lead' });
  expect(environmentOfDialled({ AGENT_RELAY_TOKEN: 't' }, url)).toEqual({ AGENT_RELAY_AGENT_ID: 'Lead', AGENT_RELAY_TOKEN: 't' });
  for (const other of ['ws://127.0.0.1:1/elsewhere/Lead', 'ws://127.0.0.1:1/claude/%', 'ws://127.0.0.1:1/claude'])
    expect(environmentOfDialled(outer, other)).toEqual(outer);
});
