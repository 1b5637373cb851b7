import { type ApprovalMode, mcpTools, type SpawnMode } from 'agent-relay-protocol';
import { isMailRestricted, type McpEndpoint, mayHandOutMail } from 'agent-relay-provider';
import type { SandboxMode, ThreadConfig } from '../../app-server/methods.ts';
import { toolTimeoutMs } from '../relay-tools.ts';
import { developerInstructions, withoutTools } from '../session-policy.ts';

export interface ExecRights {
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
}

const sandboxByMode: Readonly<Record<SpawnMode, SandboxMode>> = {
  safe: 'read-only',
  agentic: 'workspace-write',
  unrestricted: 'danger-full-access',
};

/** `codex exec` never asks: what a person would be asked for in a turn of mail is refused. */
export const sandboxOf = ({ mode, approval, isMail }: ExecRights & { readonly isMail: boolean }): SandboxMode =>
  isMail && isMailRestricted(mode, approval) ? 'read-only' : sandboxByMode[mode];

const headerVariable = 'AGENT_RELAY_MCP_HEADER';

/** The headers of the relay's tools, by the variable that holds each: what stands on a command line everybody can read. */
export function headerEnvironment(mcp: readonly McpEndpoint[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    mcp.flatMap(({ headers }, server) => Object.values(headers).map((value, index) => [variable(server, index), value])),
  );
}

const variable = (server: number, index: number): string => `${headerVariable}_${server}_${index}`;

export interface ExecConfigOptions extends ExecRights {
  readonly isMail: boolean;
  readonly instructions: string;
  readonly mcp: readonly McpEndpoint[];
  /** Names of the MCP servers in the user's own settings. */
  readonly userMcpServers: readonly string[];
  readonly hooks: ThreadConfig | undefined;
}

/** What one turn is started with beside its sandbox. */
export function execConfig({ mode, approval, isMail, instructions, mcp, userMcpServers, hooks }: ExecConfigOptions): ThreadConfig {
  const isSafe = mode === 'safe';
  // Nobody looks at a call before it runs, so a turn with other rights than those of mail goes without what may answer with mail.
  const withoutMail = isMailRestricted(mode, approval) && !isMail;
  const relayServers = mcp.map(({ name, url, headers }, server) => [
    name,
    {
      url,
      env_http_headers: Object.fromEntries(Object.keys(headers).map((header, index) => [header, variable(server, index)])),
      default_tools_approval_mode: 'approve',
      tool_timeout_sec: toolTimeoutMs / 1000,
      ...(withoutMail ? { disabled_tools: Object.keys(mcpTools).filter((tool) => mayHandOutMail(tool, undefined)) } : {}),
    },
  ]);
  const switchedOff = isSafe ? userMcpServers.filter((name) => mcp.every((own) => own.name !== name)) : [];
  return {
    approval_policy: 'never',
    developer_instructions: developerInstructions({ instructions, mode, approval: approval === 'open' ? 'open' : 'read-only', ask: false }),
    mcp_servers: Object.fromEntries([...switchedOff.map((name) => [name, { enabled: false }]), ...relayServers]),
    shell_environment_policy: { exclude: [`${headerVariable}_*`] },
    sandbox_workspace_write: { network_access: false, writable_roots: [], exclude_tmpdir_env_var: false, exclude_slash_tmp: false },
    ...(hooks && { hooks }),
    ...(isSafe ? { features: withoutTools, web_search: 'disabled' } : {}),
  };
}
