import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';

export interface GeminiPolicyOptions {
  readonly mode: SpawnMode;
  readonly relayServers: readonly string[];
}

/** Look, or keep the agent's own notes of its work, and change nothing else. */
const lookers = [
  ...['read_file', 'read_many_files', 'list_directory', 'glob', 'grep_search', 'search_file_content', 'cli_help', 'get_internal_docs'],
  ...['write_todos', 'update_topic', 'complete_task'],
];

/**
 * What a session may do, as rules of Gemini's own policy engine. They are of the highest tier: whatever the user's settings allow, each use of a tool is
 * asked about that does not only look, and in `safe` there are no tools but the relay's.
 */
export function geminiPolicy({ mode, relayServers }: GeminiPolicyOptions): string {
  const relay = relayServers.map((name) => rule({ mcpName: name, decision: 'allow', priority: 999 }));
  if (mode === 'safe') return [...relay, rule({ toolName: '*', decision: 'deny', priority: 998 })].join('\n');
  const question = rule({ toolName: 'ask_user', decision: 'deny', priority: 998 });
  const looking = lookers.map((toolName) => rule({ toolName, decision: 'allow', priority: 998 }));
  return [...relay, question, ...looking, rule({ toolName: '*', decision: 'ask_user', priority: 1 })].join('\n');
}

/** The arguments that hold a session to its mode. `remove` when Gemini has read what they name. */
export async function geminiFence(
  options: GeminiPolicyOptions,
): Promise<{ readonly args: readonly string[]; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-gemini-'));
  const path = join(folder, 'agent-relay.toml');
  await writeFile(path, geminiPolicy(options), { mode: 0o600 });
  // In `safe` nothing of the user's is loaded that brings tools of its own.
  const alone =
    options.mode === 'safe'
      ? ['--extensions', 'none', '--allowed-mcp-server-names', ...(options.relayServers.length > 0 ? options.relayServers : ['none'])]
      : [];
  const args = ['--approval-mode', 'default', '--admin-policy', path, ...alone];
  return { args, remove: () => rm(folder, { recursive: true, force: true }) };
}

const machinePolicies: Partial<Record<NodeJS.Platform, string>> = {
  darwin: '/Library/Application Support/GeminiCli/policies',
  win32: 'C:\\ProgramData\\gemini-cli\\policies',
};

/** Where an administrator's policies lie: while there are any, Gemini passes over those that it is started with. */
export const machinePolicyFolder = (platform: NodeJS.Platform): string => machinePolicies[platform] ?? '/etc/gemini-cli/policies';

/** Whether Gemini would pass over the rules that it is started with. */
export async function isOverruled(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.some((name) => name.endsWith('.toml'));
}

/** Text in TOML is written as in JSON. */
const rule = (fields: Readonly<Record<string, string | number>>): string =>
  `[[rule]]\n${Object.entries(fields)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('')}`;
