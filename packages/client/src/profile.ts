import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { messageOf, parseInput, type RegisterAgent, RegisterAgentSchema, RelayError } from 'agent-relay-protocol';

type Environment = Readonly<Record<string, string | undefined>>;

/** What a profile may say of an agent; what it leaves out stays as the provider has it. */
export type Profile = Pick<RegisterAgent, 'label' | 'tags' | 'capabilities' | 'channels' | 'approval' | 'meta'>;

const ProfileSchema = RegisterAgentSchema.pick({
  label: true,
  tags: true,
  capabilities: true,
  channels: true,
  approval: true,
  meta: true,
});

/** `AGENT_RELAY_PROFILES_FILE`, else `~/.config/agent-relay/profiles.json` (`$XDG_CONFIG_HOME`). */
export function profilesPath(env: Environment): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  const configHome = env['XDG_CONFIG_HOME'] || join(home, '.config');
  return env['AGENT_RELAY_PROFILES_FILE'] || join(configHome, 'agent-relay', 'profiles.json');
}

/**
 * Reads one profile. The file is a JSON object of profiles by name.
 * @throws RelayError `validation_failed` naming the file and, where one is wrong, the profile and its field; `not_found` naming the profiles there are.
 */
export function readProfile(name: string, path: string): Profile {
  const profiles = readProfiles(path);
  if (!Object.hasOwn(profiles, name)) {
    const others = Object.keys(profiles).sort().join(', ') || 'none';
    throw new RelayError('not_found', `The profiles file ${path} has no profile ${name}; it has: ${others}`);
  }
  try {
    return parseInput(ProfileSchema, profiles[name]);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    throw fault(path, `${name}${error.issues?.[0]?.path ? '.' : ': '}${error.message}`, error);
  }
}

function readProfiles(path: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fault(path, 'it cannot be read', error);
  }
  let profiles: unknown;
  try {
    profiles = JSON.parse(text);
  } catch (error) {
    throw fault(path, `it is no JSON: ${messageOf(error)}`, error);
  }
  if (typeof profiles !== 'object' || profiles === null || Array.isArray(profiles))
    throw fault(path, 'it is no object of profiles by name');
  return { ...profiles };
}

const fault = (path: string, what: string, cause?: unknown): RelayError =>
  new RelayError('validation_failed', `The profiles file ${path}: ${what}`, {
    ...(cause instanceof RelayError && cause.issues ? { issues: cause.issues } : {}),
    cause,
  });
