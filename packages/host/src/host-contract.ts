import type {
  ApprovalMode,
  ConfiguredHook,
  HookResult,
  InboxItem,
  NodeProvider,
  RecentHookResult,
  SandboxRequest,
  Session,
  SpawnMode,
} from 'agent-relay-protocol';
import type { ApprovalDecision, BackgroundStart, DialIn, McpEndpoint, Provider } from 'agent-relay-provider';
import type { Log } from 'agent-relay-wire';
import type { ActivityBuffer } from './activity-buffer.ts';
import type { AnswerLimit } from './answer-limit.ts';
import type { HostRelay, SessionIdentity } from './host-relay.ts';
import type { ProgressLimits } from './progress-watch.ts';

export interface HostOptions {
  readonly providers: readonly Provider[];
  /** Where the process register, unsent activity and fresh working folders live. One host at a time. */
  readonly stateDir: string;
  /** Folders agents may work in; empty allows any that exists. Fresh folders of the host's own are always allowed. */
  readonly allowedFolders: readonly string[];
  readonly relay: HostRelay;
  readonly log: Log;
  readonly clock: { now(): number };
  /** What the agents' environment is made from: what every program needs, what their provider names, and `allowedEnvironment`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Further variables that every agent of this machine gets; `X_*` is every name that begins so. */
  readonly allowedEnvironment?: readonly string[];
  /** How long a start may take. Default 80 000. */
  readonly startLimitMs?: number;
  readonly progress?: ProgressLimits;
  /** How long agents wait for a person's answer. Default ten minutes. */
  readonly approvalTimeoutMs?: number;
  /** How much of a session's activity waits on disk for a relay that is away, in bytes. Default 16 MiB. */
  readonly activityLimitBytes?: number;
  /** What every agent of this machine is put in at least. Default none. */
  readonly sandbox?: SandboxRequest;
  /** Files and folders that agents in a sandbox may read besides. */
  readonly sandboxRead?: readonly string[];
  /** What this machine does when something happens to its agents, as it stands now. Default nothing. */
  readonly hooks?: () => readonly ConfiguredHook[];
}

/** What the owner of a machine keeps a start to, beside what the host was made with: the stricter counts. */
export interface OwnerLimits {
  /** Agents work there and below, or in a fresh folder; `where` is said when one is refused. */
  readonly folders?: { readonly allowed: readonly string[]; readonly where: string };
  readonly sandbox?: SandboxRequest;
  /** Variables that agents get besides; `X_*` is every name that begins so. */
  readonly environment?: readonly string[];
  /** In which the owner says what is allowed: an agent that is held to something works in no folder that holds one of them. */
  readonly files?: readonly string[];
}

export interface StartRequest {
  readonly session: Session;
  readonly task: string | null;
  readonly cwd: string | null;
  readonly within: string | null;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly model: string | null;
  /** The vendor's own id of a stored conversation that the session goes on with. */
  readonly resume?: string | undefined;
  /** With `resume`: a copy is gone on with. */
  readonly fork?: boolean | undefined;
  /** With a session in the background: what its agent reaches the relay with. */
  readonly agentAccess?: BackgroundStart['relay'] | undefined;
  /** The machine's own wish counts where it is stricter. */
  readonly sandbox?: SandboxRequest | undefined;
  readonly owner?: OwnerLimits | undefined;
  readonly mcp: readonly McpEndpoint[];
  /** Its program runs already, wherever that is, and dialled in. */
  readonly dialIn?: Pick<DialIn, 'links'> | undefined;
}

export interface StartedSession {
  readonly cwd: string;
  readonly vendorSessionId: string | null;
  readonly model: string | null;
  /** It goes on with the conversation that was asked for. */
  readonly resumed: boolean;
  /** It goes on with a copy. */
  readonly forked: boolean;
  /** It runs in the background: how a person opens it there. */
  readonly attach?: string;
  readonly sandbox: Session['sandbox'];
  /** Why there is none although one was wanted. */
  readonly sandboxReason?: string;
}

export interface RunningSession extends SessionIdentity {
  readonly presence: 'idle' | 'busy';
  /** It runs in the background: what runs beside it is its deliverer. */
  readonly fetchesItsMail: boolean;
  readonly lastSeq: number;
}

export interface AnsweredApproval {
  readonly sessionId: string;
  readonly approvalId: string;
  readonly limit?: AnswerLimit | undefined;
}

/** Owns the sessions that run on this machine. */
export interface Host {
  /** What this machine has, looked for anew where the last look is older than `maxAgeMs` (default 0). */
  detect(maxAgeMs?: number): Promise<readonly NodeProvider[]>;
  /** Looks for one vendor's program again. @throws RelayError `not_found` when this machine has no such provider. */
  detectOne(id: string): Promise<NodeProvider>;
  /** Resolves when the agent is ready and has its task. @throws RelayError with the provider's or the folder's own sentence. */
  start(request: StartRequest): Promise<StartedSession>;
  readonly running: readonly RunningSession[];
  /** How many run, or are being started. */
  readonly load: number;
  /** Whether a session runs here or is being started. */
  has(sessionId: string): boolean;
  /** Buffers the relay may not have whole yet: of running sessions, ended ones, and those an earlier process left behind. */
  readonly buffers: readonly ActivityBuffer[];
  /** The relay has all of a session that is over: its buffer may go. Ignored while the session runs. */
  forget(sessionId: string): void;
  deliver(sessionId: string, items: readonly InboxItem[]): void;
  /** The relay takes this session's words again: tries whatever waits. */
  wake(sessionId: string): void;
  /** False when no turn was running. @throws RelayError `not_found`. */
  interrupt(sessionId: string): Promise<boolean>;
  /**
   * Hands a person's answer to a session; false when it does not wait for it (any more), or does not run here.
   * @throws RelayError `forbidden` for a yes that goes further than the limit, `validation_failed` for what is no answer.
   */
  resolveApproval(answered: AnsweredApproval, decision: ApprovalDecision): Promise<boolean>;
  /** The last runs of this machine's hooks, oldest first. */
  readonly recentHookRuns: readonly RecentHookResult[];
  /** Tries one of this machine's hooks; see `Hooks.test`. */
  testHook(name: string, fields: Readonly<Record<string, string>>): Promise<HookResult>;
  /** Ends a session with its whole process tree; resolves when it is gone. A session that is not here is gone already. */
  release(sessionId: string, reason: string): Promise<void>;
  /** Releases everything and closes the providers. Idempotent. */
  close(reason: string): Promise<void>;
}
