import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { basename, resolve } from 'node:path';
import {
  AgentIdSchema,
  ApprovalModeSchema,
  GroupNameSchema,
  LabelSchema,
  parseInput,
  type RegisterAgent,
  RelayError,
} from 'agent-relay-protocol';
import { type Profile, profilesPath, readProfile } from './profile.ts';

export interface AgentIdentityOptions {
  /** The folder the session works in. */
  readonly cwd: string;
  /** What tells this session from others in the same folder, e.g. the vendor's session id. The same key is the same agent again. */
  readonly sessionKey: string;
  /** The environment to read, e.g. `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The kind of agent, e.g. `claude`. */
  readonly provider?: string;
  /** What the provider says of its agents where neither profile nor environment does. Its tags always stay. */
  readonly defaults?: Profile;
  /** Default: this machine's host name. */
  readonly machine?: string;
}

/** How an agent registers: its id is settled. */
export type AgentIdentity = RegisterAgent & { readonly id: string };

/**
 * Who the agent of a session is: the id `{hostname}-{project}-{session-hash}`, the same for the same machine, folder and key, and what the
 * environment and a profile say of it (`agentProfile`). `AGENT_RELAY_ID` gives it another id.
 * @throws RelayError as `agentProfile` does.
 */
export function agentIdentity(options: AgentIdentityOptions): AgentIdentity {
  const { env, provider, defaults, sessionKey } = options;
  const cwd = resolve(options.cwd);
  const machine = shortName(options.machine ?? hostname(), 'host');
  const project = shortName(basename(cwd), 'project');
  const { tags = [], capabilities = ['chat'], meta, ...said } = agentProfile(env, defaults);
  const id = env['AGENT_RELAY_ID']
    ? read(AgentIdSchema, 'AGENT_RELAY_ID', env['AGENT_RELAY_ID'])
    : `${machine}-${project}-${sessionHash(machine, cwd, sessionKey)}`;
  return { ...said, id, name: id, machine, tags, capabilities, meta: { ...meta, cwd }, ...(provider === undefined ? {} : { provider }) };
}

/**
 * What the environment and a profile say of an agent, whatever its id; what nobody says is absent.
 *
 * Each field comes from the environment (`AGENT_RELAY_LABEL`, `_CAPS`, `_CHANNELS`, `_APPROVAL`), else from the profile that
 * `AGENT_RELAY_PROFILE` names, else from `defaults`. Tags add up: the defaults', the profile's, `AGENT_RELAY_TAGS`. `meta` does as well.
 * @throws RelayError `validation_failed` naming the variable, or the profile's field; `not_found` when there is no such profile.
 */
export function agentProfile(env: AgentIdentityOptions['env'], defaults: Profile = {}): Profile {
  const profile = env['AGENT_RELAY_PROFILE'] ? readProfile(env['AGENT_RELAY_PROFILE'], profilesPath(env)) : {};
  const tags = new Set([...(defaults.tags ?? []), ...(profile.tags ?? []), ...(groups(env, 'AGENT_RELAY_TAGS') ?? [])]);
  const capabilities = groups(env, 'AGENT_RELAY_CAPS');
  const channels = groups(env, 'AGENT_RELAY_CHANNELS');
  const [label, approval] = [env['AGENT_RELAY_LABEL'], env['AGENT_RELAY_APPROVAL']];
  return {
    ...defaults,
    ...profile,
    ...(capabilities ? { capabilities } : {}),
    ...(channels ? { channels } : {}),
    ...(label ? { label: read(LabelSchema, 'AGENT_RELAY_LABEL', label) } : {}),
    ...(approval ? { approval: read(ApprovalModeSchema, 'AGENT_RELAY_APPROVAL', approval) } : {}),
    ...(tags.size > 0 ? { tags: [...tags] } : {}),
    ...(defaults.meta || profile.meta ? { meta: { ...defaults.meta, ...profile.meta } } : {}),
  };
}

/** Part of an id: what an id cannot carry becomes a dash. */
function shortName(text: string, fallback: string): string {
  const [name = ''] = fallback === 'host' ? text.split('.') : [text];
  const cleaned = name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}._@+~-]+/gu, '-')
    .replace(/^[^\p{L}\p{N}]+|-+$/gu, '');
  return [...cleaned].slice(0, 48).join('') || fallback;
}

const sessionHash = (machine: string, cwd: string, sessionKey: string): string =>
  createHash('sha256')
    .update(JSON.stringify([machine, cwd, sessionKey]))
    .digest('hex')
    .slice(0, 8);

/** A list of names between commas; undefined when the variable is not set, or empty. */
function groups(env: AgentIdentityOptions['env'], variable: string): string[] | undefined {
  const names = (env[variable] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 0 ? undefined : names.map((name) => read(GroupNameSchema, variable, name));
}

function read<Schema extends Parameters<typeof parseInput>[0]>(schema: Schema, variable: string, value: string) {
  try {
    return parseInput(schema, value);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    throw new RelayError('validation_failed', `${variable}: ${error.message}`, {
      issues: [{ path: variable, message: error.message }],
      cause: error,
    });
  }
}
