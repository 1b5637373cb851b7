import type { McpEndpoint, StartOptions } from 'agent-relay-provider';
import type { ClaudePermissionMode } from '../stream-json/permission-mode.ts';

export interface CommandLineOptions {
  /** The id of a new conversation. */
  readonly vendorSessionId: string;
  /** The id of a stored conversation that is continued instead. */
  readonly resume?: string | undefined;
  /** The stored one stays as it is, and a copy of it is continued under `vendorSessionId`. */
  readonly fork?: boolean | undefined;
  readonly permissionMode: ClaudePermissionMode;
  readonly model?: string | undefined;
  readonly instructions?: string | undefined;
}

/** What makes any Claude Code speak stream-json over stdio as a CLI does that dials in. */
export const stdioArguments: readonly string[] = [
  '--print',
  '--verbose',
  ...['--output-format', 'stream-json', '--input-format', 'stream-json'],
  '--include-partial-messages',
  '--replay-user-messages',
  ...['--permission-prompt-tool', 'stdio'],
];

/** The arguments for one session over stdio. */
export function claudeArguments(options: CommandLineOptions): string[] {
  const { permissionMode, model, instructions = '' } = options;
  return [
    ...stdioArguments,
    ...['--permission-mode', permissionMode],
    ...conversationArguments(options),
    ...(instructions === '' ? [] : ['--append-system-prompt', instructions]),
    ...(model === undefined ? [] : [`--model=${model}`]),
  ];
}

/** Joined: behind a blank, what begins with `-` would be taken for an option of its own. */
function conversationArguments({ vendorSessionId, resume, fork = false }: CommandLineOptions): string[] {
  if (resume === undefined) return ['--session-id', vendorSessionId];
  return fork ? [`--resume=${resume}`, '--fork-session', '--session-id', vendorSessionId] : [`--resume=${resume}`];
}

export interface ModeArgumentsOptions extends Pick<StartOptions, 'mode'> {
  /** A file, because the headers hold a token and everybody may read a command line. */
  readonly mcpConfigPath: string | null;
  /** The only tools of Claude's own that a model is offered in `agentic` mode, and with them no MCP servers but the relay's. Left out: all. */
  readonly agenticTools?: readonly string[] | undefined;
}

/** `--tools` is variadic: it must not stand before a prompt, and none is given here. */
export function modeArguments({ mode, mcpConfigPath, agenticTools }: ModeArgumentsOptions): string[] {
  const offered = { safe: [], agentic: agenticTools, unrestricted: undefined }[mode];
  return [
    ...(mcpConfigPath === null ? [] : ['--mcp-config', mcpConfigPath]),
    ...(offered === undefined ? [] : ['--strict-mcp-config', '--tools', offered.join(',')]),
  ];
}

/** `alwaysLoad`: otherwise Claude hides the tools behind its tool search. */
export function mcpServers(endpoints: readonly McpEndpoint[]): Record<string, object> {
  return Object.fromEntries(endpoints.map(({ name, url, headers }) => [name, { type: 'http', url, headers, alwaysLoad: true }]));
}
