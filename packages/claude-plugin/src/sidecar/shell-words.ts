export interface ShellStanding {
  readonly id: string;
  readonly url: string | undefined;
  /** Undefined until the session has one. */
  readonly token: string | undefined;
}

/** What the shells of a session read before each command: `agent-relay` speaks in them as the session's agent, and never as the owner. */
export function shellWords({ id, url, token }: ShellStanding): string {
  const variables = {
    AGENT_RELAY_ID: id,
    AGENT_RELAY_AGENT_ID: id,
    AGENT_RELAY_PLUGIN_SESSION: '1',
    ...(url === undefined ? {} : { AGENT_RELAY_URL: url }),
    AGENT_RELAY_TOKEN: token ?? 'not-registered-yet',
  };
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join('');
}
