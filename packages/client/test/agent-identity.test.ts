import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentIdSchema, RegisterAgentSchema, RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AgentIdentityOptions, agentIdentity, profilesPath } from '../src/node.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-identity-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const identity = (env: Record<string, string> = {}, more: Partial<AgentIdentityOptions> = {}) =>
  agentIdentity({ cwd: '/srv/Web App', sessionKey: 's-1', machine: 'Mini.local', env, ...more });

const withProfiles = (profiles: unknown, name = 'backend'): Record<string, string> => {
  const path = join(folder, 'profiles.json');
  writeFileSync(path, typeof profiles === 'string' ? profiles : JSON.stringify(profiles));
  return { AGENT_RELAY_PROFILES_FILE: path, AGENT_RELAY_PROFILE: name };
};

function failure(env: Record<string, string>): RelayError {
  try {
    identity(env);
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
  throw new Error('It was not refused');
}

describe('the id', () => {
  test('is host, project and a hash of the session, the same each time', () => {
    expect(identity().id).toMatch(/^mini-web-app-[0-9a-f]{8}$/u);
    expect(identity().id).toBe(identity().id);
    const others = [identity({}, { sessionKey: 's-2' }), identity({}, { cwd: '/other/Web App' }), identity({}, { machine: 'maxi' })];
    expect(new Set([identity(), ...others].map(({ id }) => id)).size).toBe(4);
  });

  test('is a valid one whatever host and folder are called, and the environment may settle it', () => {
    for (const [machine, cwd] of [
      ['', '/'],
      ['.', '/x/…'],
      ['-host', '/x/-.-'],
      ['höst', `/x/${'long '.repeat(100)}`],
    ] as const) {
      const { id } = identity({}, { machine, cwd });
      expect([id, AgentIdSchema.safeParse(id).success]).toEqual([id, true]);
    }
    expect(identity({ AGENT_RELAY_ID: 'Worker' }).id).toBe('Worker');
  });
});

describe('what it says of itself', () => {
  test('nothing set: chat, the machine and the folder', () => {
    const { id, ...card } = identity({}, { provider: 'claude' });
    expect(card).toEqual({
      name: id,
      machine: 'mini',
      provider: 'claude',
      tags: [],
      capabilities: ['chat'],
      meta: { cwd: '/srv/Web App' },
    });
    expect(RegisterAgentSchema.safeParse({ id, ...card }).success).toBe(true);
  });

  test('the environment wins over the profile field by field, the profile over the provider, and tags add up', () => {
    const profile = {
      label: 'backend fixer',
      tags: ['backend', 'shared'],
      capabilities: ['review'],
      channels: ['deploy'],
      approval: 'guarded',
      meta: { team: 'core' },
    };
    const defaults = { tags: ['claude', 'shared'], capabilities: ['chat', 'code'], approval: 'open', meta: { plugin: '1' } } as const;
    const given = { defaults: { ...defaults, tags: [...defaults.tags], capabilities: [...defaults.capabilities] } };
    const env = withProfiles({ backend: profile });
    expect(identity(env, given)).toMatchObject({
      ...profile,
      tags: ['claude', 'shared', 'backend'],
      meta: { plugin: '1', team: 'core', cwd: '/srv/Web App' },
    });
    const explicit = { AGENT_RELAY_LABEL: 'mine', AGENT_RELAY_CAPS: 'ops, support', AGENT_RELAY_APPROVAL: 'read-only' };
    expect(identity({ ...env, ...explicit, AGENT_RELAY_TAGS: 'urgent,backend' }, given)).toMatchObject({
      label: 'mine',
      capabilities: ['ops', 'support'],
      approval: 'read-only',
      channels: ['deploy'],
      tags: ['claude', 'shared', 'backend', 'urgent'],
    });
    expect(identity({ ...env, AGENT_RELAY_CHANNELS: 'alerts' }, given).channels).toEqual(['alerts']);
  });

  test('no profile asked for: the file is not even looked at', () => {
    expect(identity({ AGENT_RELAY_PROFILES_FILE: '/nowhere/profiles.json' }).capabilities).toEqual(['chat']);
  });

  test('the profiles file lies where the environment says, else in the configuration folder', () => {
    expect(profilesPath({ HOME: '/home/me' })).toBe('/home/me/.config/agent-relay/profiles.json');
    expect(profilesPath({ HOME: '/home/me', XDG_CONFIG_HOME: '/etc/me' })).toBe('/etc/me/agent-relay/profiles.json');
    expect(profilesPath({ AGENT_RELAY_PROFILES_FILE: '/x.json' })).toBe('/x.json');
  });
});

describe('what is wrong is named', () => {
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['a field that a profile does not have', { backend: { lable: 'x' } }, /: backend\.lable: This field is not known here$/u],
    ['a tag with a space', { backend: { tags: ['ok', 'not ok'] } }, /: backend\.tags\.1: A group name has no spaces/u],
    ['an approval mode that is none', { backend: { approval: 'always' } }, /: backend\.approval: /u],
    ['a profile that is no object', { backend: 'x' }, /: backend: /u],
    ['a file that is a list', [], /: it is no object of profiles by name$/u],
    ['a file that is no JSON', '{ "backend": ', /: it is no JSON: /u],
  ];
  for (const [what, profiles, message] of cases) {
    test(what, () => {
      const { code, message: said } = failure(withProfiles(profiles));
      expect([code, said]).toEqual(['validation_failed', expect.stringMatching(message)]);
      expect(said).toContain(join(folder, 'profiles.json'));
    });
  }

  test('a profile that is not there, with those that are; a file that is not there', () => {
    expect(failure(withProfiles({ one: {}, two: {} }))).toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/has no profile backend; it has: one, two$/u),
    });
    expect(failure({ AGENT_RELAY_PROFILE: 'x', AGENT_RELAY_PROFILES_FILE: join(folder, 'none.json') })).toMatchObject({
      code: 'validation_failed',
      message: expect.stringMatching(/none\.json: it cannot be read$/u),
    });
  });

  test('variables by their names', () => {
    for (const [variable, value] of [
      ['AGENT_RELAY_ID', 'has space'],
      ['AGENT_RELAY_LABEL', ' x '],
      ['AGENT_RELAY_CAPS', 'a b'],
      ['AGENT_RELAY_TAGS', 'a:b'],
      ['AGENT_RELAY_CHANNELS', '#x'],
      ['AGENT_RELAY_APPROVAL', 'maybe'],
    ] as const) {
      const { code, issues } = failure({ [variable]: value });
      expect([code, issues?.[0]?.path]).toEqual(['validation_failed', variable]);
    }
  });
});
