import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelayError, type SpawnMode } from 'agent-relay-protocol';

export interface GeminiPolicyOptions {
  readonly mode: SpawnMode;
  readonly relayServers: readonly string[];
}

/** Arguments for an agent's program, and what is to be removed when it has read what they name. */
export interface ModeFence {
  readonly args: readonly string[];
  /** What they name. */
  readonly files: readonly string[];
  readonly remove: () => Promise<void>;
}

/** Look, or keep the agent's own notes of its work, and change nothing else. */
const lookers = [
  ...['read_file', 'read_many_files', 'list_directory', 'glob', 'grep_search', 'search_file_content', 'cli_help', 'get_internal_docs'],
  ...['write_todos', 'update_topic', 'complete_task'],
];

/**
 * What a session may do, as rules of Gemini's own policy engine. They are of the highest tier: whatever the user's settings allow, each use of a tool is
 * asked about that does not only look (the relay's too: their answer is ours), and in `safe` there are no tools but the relay's.
 */
export function geminiPolicy(mode: SpawnMode): string {
  // Rules that name a server miss its tools at the moment of their use (0.61), so here is one for all servers: no other is loaded.
  if (mode === 'safe') {
    const relay = rule({ mcpName: '*', toolName: '*', decision: 'allow', priority: 999 });
    return `${relay}\n${rule({ toolName: '*', decision: 'deny', priority: 998 })}`;
  }
  const question = rule({ toolName: 'ask_user', decision: 'deny', priority: 998 });
  const looking = lookers.map((toolName) => rule({ toolName, decision: 'allow', priority: 998 }));
  // By a rule without a pattern Gemini does not ask about commands that it takes for harmless itself.
  const command = rule({ toolName: 'run_shell_command', argsPattern: '"command"', decision: 'ask_user', priority: 2 });
  return [question, ...looking, command, rule({ toolName: '*', decision: 'ask_user', priority: 1 })].join('\n');
}

/** The arguments that hold a session to its mode. `remove` when Gemini has read what they name. */
export async function geminiFence(options: GeminiPolicyOptions): Promise<ModeFence> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-gemini-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, 'agent-relay.toml');
  try {
    // Gemini takes a comma for the beginning of another path, and passes over what it does not find without a word.
    if (path.includes(','))
      throw new RelayError('provider_unavailable', `Gemini CLI reads no policy from a folder with a comma in its name: ${folder}`);
    await writeFile(path, geminiPolicy(options.mode), { mode: 0o600 });
  } catch (error) {
    await remove();
    throw error;
  }
  // In a folder that is not trusted Gemini starts no MCP server, the relay's included.
  const args = ['--skip-trust', '--approval-mode', 'default', '--admin-policy', path, ...(options.mode === 'safe' ? alone(options) : [])];
  return { args, files: [path], remove };
}

/** Nothing of the user's is loaded that brings tools of its own. */
const alone = ({ relayServers }: GeminiPolicyOptions): readonly string[] => [
  ...['--extensions', 'none'],
  ...(relayServers.length > 0 ? relayServers : ['none']).flatMap((name) => ['--allowed-mcp-server-names', name]),
];

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
