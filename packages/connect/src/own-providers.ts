import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type AcpAgent, AcpProvider, acpAgents } from 'agent-relay-acp';
import { type LineAgent, LinesProvider, lineAgents } from 'agent-relay-lines';
import { messageOf, NodeProviderSchema, parseInput, RelayError } from 'agent-relay-protocol';
import type { Provider } from 'agent-relay-provider';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;

const text = z.string().min(1).max(4096);
const variables = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, 'is no name of a variable'), z.string());

/** What of the home folder it needs in a sandbox. */
const files = z.strictObject({ scratch: z.array(text).optional(), read: z.array(text).optional(), write: z.array(text).optional() });

const AcpRow = z.strictObject({
  protocol: z.literal('acp'),
  name: z.string().min(1).max(64).optional(),
  command: text.optional(),
  args: z.array(text).optional(),
  install: text.optional(),
  login: text.optional(),
  environment: z.array(text).optional(),
  set: variables.optional(),
  modelOption: text.optional(),
  files: files.optional(),
});
type AcpRow = z.infer<typeof AcpRow>;

const pattern = text.transform((source, context) => {
  try {
    return new RegExp(source, 'u');
  } catch {
    context.addIssue({ code: 'custom', message: 'is no regular expression' });
    return z.NEVER;
  }
});

const LinesRow = z.strictObject({
  protocol: z.enum(['lines', 'claude-json']),
  name: z.string().min(1).max(64).optional(),
  command: text.optional(),
  args: z.array(text).optional(),
  resumeArgs: z.array(text).optional(),
  modelArgs: z.array(text).optional(),
  install: text.optional(),
  environment: z.array(text).optional(),
  set: variables.optional(),
  terminal: z.boolean().optional(),
  patterns: z.strictObject({ quota: pattern.optional(), error: pattern.optional() }).optional(),
  files: files.optional(),
});
type LinesRow = z.infer<typeof LinesRow>;

const OwnProviders = z.record(NodeProviderSchema.shape.id, z.discriminatedUnion('protocol', [AcpRow, LinesRow]));

/** Vendors with a provider of their own, and the adapters through which they speak the Agent Client Protocol as well. */
const adapters: Readonly<Record<string, AcpAgent | undefined>> = {
  claude: acpAgents['claude-agent-acp'],
  codex: acpAgents['codex-acp'],
};

/** `AGENT_RELAY_PROVIDERS_FILE`, else `~/.config/agent-relay/providers.json` (`$XDG_CONFIG_HOME`). */
export function ownProvidersPath(env: Environment): string {
  const configHome = env['XDG_CONFIG_HOME'] || join(env['HOME'] || env['USERPROFILE'] || homedir(), '.config');
  return env['AGENT_RELAY_PROVIDERS_FILE'] || join(configHome, 'agent-relay', 'providers.json');
}

/**
 * The providers of this machine: those given, and those of its own file, which come in the place of one of the same id.
 * @throws RelayError `validation_failed` naming the file, the provider and its field.
 */
export function withOwnProviders(given: readonly Provider[], env: Environment): readonly Provider[] {
  const path = ownProvidersPath(env);
  const own = Object.entries(readRows(path, env)).map(([id, row]) => providerOf(id, row, path));
  return [...given.filter(({ id }) => !own.some((each) => each.id === id)), ...own];
}

function providerOf(id: string, row: z.infer<typeof OwnProviders>[string], path: string): Provider {
  switch (row.protocol) {
    case 'acp':
      return new AcpProvider(acpAgentOf(id, row, path));
    case 'lines':
    case 'claude-json':
      return new LinesProvider(lineAgentOf(id, row, path));
  }
}

function acpAgentOf(id: string, row: AcpRow, path: string): AcpAgent {
  const { protocol: _protocol, set, files: homeFiles, ...said } = row;
  const known: AcpAgent | undefined = adapters[id] ?? acpAgents[id];
  const command = row.command ?? known?.command;
  if (command === undefined) throw fault(path, `${id}.command: say which program it is`);
  const base: AcpAgent = known ?? {
    ...{ id, name: id, command, args: [], install: 'as its vendor says', environment: [], fence: 'none' },
    ...{ login: `Log it in as its vendor says`, evidence: 'documented' },
  };
  const sets = { ...base.sets, ...set };
  return { ...base, ...definedOf({ ...said, homeFiles: homeFiles && definedOf(homeFiles) }), id, command, sets };
}

function lineAgentOf(id: string, row: LinesRow, path: string): LineAgent {
  const { protocol, set, files: homeFiles, patterns, ...said } = row;
  const known = protocol === 'claude-json' ? lineAgents[id] : undefined;
  const command = row.command ?? known?.command;
  if (command === undefined) throw fault(path, `${id}.command: say which program it is`);
  if (protocol === 'claude-json' && row.terminal) throw fault(path, `${id}.terminal: only for the protocol lines`);
  const base: LineAgent = known ?? {
    ...{ id, name: id, command, args: [], install: 'as its vendor says', environment: [], evidence: 'documented' },
    output: protocol === 'lines' ? 'text' : 'claude-json',
  };
  const more = { homeFiles: homeFiles && definedOf(homeFiles), patterns: patterns && definedOf(patterns) };
  return { ...base, ...definedOf({ ...said, ...more }), id, command, sets: { ...base.sets, ...set } };
}

/** Without the fields that are left out. */
const definedOf = <Fields extends object>(fields: Fields): { [Key in keyof Fields]: Exclude<Fields[Key], undefined> } =>
  // What is undefined is taken out here.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

function readRows(path: string, env: Environment): z.infer<typeof OwnProviders> {
  let file: string;
  try {
    file = readFileSync(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing && !env['AGENT_RELAY_PROVIDERS_FILE']) return {};
    throw fault(path, 'it cannot be read', error);
  }
  let rows: unknown;
  try {
    rows = JSON.parse(file);
  } catch (error) {
    throw fault(path, `it is no JSON: ${messageOf(error)}`, error);
  }
  try {
    return parseInput(OwnProviders, rows);
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    throw fault(path, error.message, error);
  }
}

const fault = (path: string, what: string, cause?: unknown): RelayError =>
  new RelayError('validation_failed', `The providers file ${path}: ${what}`, {
    ...(cause instanceof RelayError && cause.issues ? { issues: cause.issues } : {}),
    cause,
  });
