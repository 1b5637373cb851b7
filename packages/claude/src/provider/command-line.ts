import type { McpEndpoint, StartOptions } from 'agent-relay-provider';
import { quietGit } from './quiet-git.ts';

export interface CommandLineOptions extends Pick<StartOptions, 'mode' | 'model' | 'instructions'> {
  readonly vendorSessionId: string;
  /** A file, because the headers hold a token and everybody may read a command line. */
  readonly mcpConfigPath: string | null;
}

/** The arguments for one session over stdio. `--tools` is variadic: it must not stand before a prompt, and none is given here. */
export function commandLine({ mode, model, instructions, vendorSessionId, mcpConfigPath }: CommandLineOptions): string[] {
  return [
    '--print',
    '--verbose',
    ...['--output-format', 'stream-json', '--input-format', 'stream-json'],
    '--include-partial-messages',
    '--replay-user-messages',
    ...['--permission-prompt-tool', 'stdio'],
    ...['--permission-mode', 'default'],
    ...['--session-id', vendorSessionId],
    ...(instructions === '' ? [] : ['--append-system-prompt', instructions]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(mcpConfigPath === null ? [] : ['--mcp-config', mcpConfigPath]),
    ...(mode === 'safe' ? ['--strict-mcp-config', '--tools', ''] : []),
  ];
}

/** `alwaysLoad`: otherwise Claude hides the tools behind its tool search. */
export function mcpConfig(endpoints: readonly McpEndpoint[]): object {
  const servers = endpoints.map(({ name, url, headers }) => [name, { type: 'http', url, headers, alwaysLoad: true }]);
  return { mcpServers: Object.fromEntries(servers) };
}

/** Set by a Claude Code that started the host: a child that inherits them takes itself for a part of that session. */
const ofOuterSession =
  /^(?:CLAUDECODE|CLAUDE_PID|CLAUDE_CODE_(?:ENTRYPOINT|SESSION_ID|MESSAGING_SOCKET|MESSAGING_TOKEN|SSE_PORT|SESSION_ATTENDED))$/u;

/**
 * What a prompt says is what the model reads. Without it Claude puts the file that an `@path` in a prompt names (a server's resource, an agent)
 * into the conversation by itself: no tool, no question, in every mode. Prompts that join a running turn still come.
 */
export const plainPrompts = { CLAUDE_CODE_DISABLE_ATTACHMENTS: '1' } as const;

export function claudeEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(env).filter(([name]) => !ofOuterSession.test(name));
  return { ...Object.fromEntries(own), ...quietGit(env), ...plainPrompts, CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS: '1' };
}
