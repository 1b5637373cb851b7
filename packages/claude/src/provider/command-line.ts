import type { McpEndpoint, StartOptions } from 'agent-relay-provider';

export interface CommandLineOptions extends Pick<StartOptions, 'mode' | 'model' | 'instructions'> {
  readonly vendorSessionId: string;
  /** A file, because the headers hold a token and everybody may read a command line. */
  readonly mcpConfigPath: string | null;
}

/** The arguments for one session over stdio. `--tools` is variadic: it must not stand before a prompt, and none is given here. */
export function claudeArguments({ mode, model, instructions, vendorSessionId, mcpConfigPath }: CommandLineOptions): string[] {
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
