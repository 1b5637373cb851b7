import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import { isMailRestricted, type McpEndpoint } from 'agent-relay-provider';
import { judgeTool, type SessionRights, type ToolUse } from 'agent-relay-provider/kit';
import type { ApprovalPolicy, SandboxPolicy, ThreadConfig } from '../app-server/methods.ts';
import type { ThreadEnvironment } from './environment.ts';
import { toolTimeoutMs } from './relay-tools.ts';

/** What a turn may do, in Codex's words. Sticky in Codex, so every turn of ours names both. */
export interface TurnPolicy {
  readonly approvalPolicy: ApprovalPolicy;
  readonly sandboxPolicy: SandboxPolicy;
}

const readOnly: SandboxPolicy = { type: 'readOnly', networkAccess: false };
/** `never` does not mean that everything is allowed: what the sandbox forbids is refused without asking anybody. */
const sandboxByMode: Readonly<Record<SpawnMode, SandboxPolicy>> = {
  safe: readOnly,
  agentic: { type: 'workspaceWrite', writableRoots: [], networkAccess: false, excludeTmpdirEnvVar: false, excludeSlashTmp: false },
  unrestricted: { type: 'dangerFullAccess' },
};

/** As `never`, but for the calls of the relay's tools, which the session itself answers. */
const relayCallsOnly: ApprovalPolicy = {
  granular: { sandbox_approval: false, rules: false, skill_approval: false, request_permissions: false, mcp_elicitations: true },
};

/** What decides about the turns of a session. */
type TurnRights = Pick<SessionRights, 'mode' | 'approval' | 'ask'>;

const asksBeyond = ({ mode, ask }: Pick<SessionRights, 'mode' | 'ask'>): boolean => ask === true && mode === 'agentic';

/**
 * The policy of a turn. A turn that relay mail starts may do less when the agent's approval says so: `read-only` runs in a read-only
 * sandbox; `guarded` too, and there the agent asks a person before it leaves the sandbox. In an `agentic` session with `ask` it asks so in every
 * other turn.
 */
export function turnPolicy({ mode, approval, ask, isMail }: TurnRights & { readonly isMail: boolean }): TurnPolicy {
  const isRestricted = isMailRestricted(mode, approval);
  if (!isRestricted || !isMail) {
    const silent = isRestricted ? relayCallsOnly : 'never';
    return { approvalPolicy: asksBeyond({ mode, ask }) ? 'on-request' : silent, sandboxPolicy: sandboxByMode[mode] };
  }
  return { approvalPolicy: approval === 'guarded' ? 'on-request' : relayCallsOnly, sandboxPolicy: readOnly };
}

/**
 * Whether a person is asked, by the one rule for tools. Codex asks only for what a turn's sandbox does not give: what the mode would allow waits for a
 * person as well, where one may be asked at all.
 */
export function mayAsk(use: ToolUse, rights: SessionRights, isMailTurn: boolean): boolean {
  const { outcome } = judgeTool(use, rights, isMailTurn);
  if (outcome === 'allow') return rights.mode !== 'safe' && (rights.approval === 'guarded' || asksBeyond(rights));
  return outcome === 'ask';
}

/** Every tool of Codex that can be switched off; `apply_patch` cannot, and is refused by the read-only sandbox. */
export const withoutTools: ThreadConfig = {
  shell_tool: false,
  unified_exec: false,
  view_image: false,
  image_generation: false,
  goals: false,
  apps: false,
  plugins: false,
  multi_agent: false,
  browser_use: false,
  computer_use: false,
};

export interface ThreadConfigOptions {
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly mcp: readonly McpEndpoint[];
  /** The session runs the tools of `mcp` itself: Codex asks it, and not the servers. */
  readonly asksClient?: boolean;
  /** Names of the MCP servers in the user's own settings. */
  readonly userMcpServers: readonly string[];
  /** What this agent's commands get in their environment beside the server's. */
  readonly environment: ThreadEnvironment;
  readonly hooks?: ThreadConfig | undefined;
}

/** `config` of the thread; Codex forgets it when the thread is unloaded. */
export function threadConfig({ mode, approval, mcp, asksClient, userMcpServers, environment, hooks }: ThreadConfigOptions): ThreadConfig {
  const isSafe = mode === 'safe';
  const isRestricted = isMailRestricted(mode, approval);
  const askedByCodex = ({ url, headers }: McpEndpoint) => ({
    url,
    http_headers: { ...headers },
    // `prompt`: the session looks whether the call would hand out mail. Without either the policy `never` refuses every call.
    default_tools_approval_mode: isRestricted ? 'prompt' : 'approve',
    tool_timeout_sec: toolTimeoutMs / 1000,
  });
  // One of this name in the user's settings stays off, for it would be another agent's, or nobody's.
  const askedByUs = ({ url }: McpEndpoint) => ({ url, enabled: false });
  const relayServers = mcp.map((endpoint) => [endpoint.name, asksClient ? askedByUs(endpoint) : askedByCodex(endpoint)]);
  const switchedOff = isSafe
    ? userMcpServers.filter((name) => mcp.every((own) => own.name !== name)).map((name) => [name, { enabled: false }])
    : [];
  return {
    // A message that joins a turn waits for the next boundary; otherwise the half answer would be lost.
    // A sub-agent keeps the rights of the turn that started it: mail would write with those of a person.
    features: { instant_interrupt: false, ...(isRestricted ? { multi_agent: false } : {}), ...(isSafe ? withoutTools : {}) },
    mcp_servers: Object.fromEntries([...switchedOff, ...relayServers]),
    ...(isSafe ? { web_search: 'disabled' } : {}),
    ...(hooks && { hooks }),
    ...shellEnvironment(environment),
  };
}

function shellEnvironment({ inherits, set, exclude }: ThreadEnvironment): ThreadConfig {
  if (!inherits) return { shell_environment_policy: { inherit: 'none', set: { ...set } } };
  if (Object.keys(set).length === 0 && exclude.length === 0) return {};
  return { shell_environment_policy: { ...(exclude.length === 0 ? {} : { exclude }), set: { ...set } } };
}

const safeNote = 'You have no tools in this session but those of the relay: do not try to run commands or to change files.';
const askNote =
  'Commands run in a sandbox of your folder, without the network. For what leaves it, ask for permission as usual: a person is asked, and you wait for the answer.';
const mailNote: Readonly<Record<Exclude<ApprovalMode, 'open'>, string>> = {
  guarded:
    'Turns that begin with a relay message ([msg:…]) run in a read-only sandbox. For what leaves it, ask for permission as usual: a person is asked, and you wait for the answer. Where the answer is no, say what you would do instead.',
  'read-only': 'Turns that begin with a relay message ([msg:…]) may only read. Say what you would change instead of changing it.',
};

/** The standing instructions: what the caller says, and what the agent must know about its own limits. */
export function developerInstructions({ instructions, mode, approval, ask }: TurnRights & { readonly instructions: string }): string {
  const notes = [
    instructions,
    ...(mode === 'safe' ? [safeNote] : []),
    ...(asksBeyond({ mode, ask }) ? [askNote] : []),
    ...(approval !== 'open' && mode !== 'safe' ? [mailNote[approval]] : []),
  ];
  return notes.filter((note) => note !== '').join('\n\n');
}

/** Those of a conversation that goes on under others than it began with: the old ones are still in it. */
export const instructionsAnew = (instructions: string): string =>
  `This conversation goes on in a new session. From here on these standing instructions hold, and what earlier ones said does not:\n\n${instructions === '' ? '(none)' : instructions}`;
