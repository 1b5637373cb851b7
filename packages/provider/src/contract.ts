import type {
  Abilities,
  AgentEvent,
  Approval,
  ApprovalAnswer,
  ApprovalMode,
  DeliveryMode,
  SandboxKind,
  SpawnMode,
} from 'agent-relay-protocol';
import type { MessageDuplex } from 'agent-relay-wire';
import type { SpawnProcessOptions } from 'agent-relay-wire/node';

/**
 * Whether a provider can run on this machine. `reason` is one sentence that says how to install what is missing. `runtime` says which running program
 * would serve a session, where the vendor leaves a choice, and why.
 */
export type ProviderAvailability =
  | { readonly available: true; readonly version: string; readonly command: string; readonly runtime?: string }
  | { readonly available: false; readonly reason: string };

/**
 * A process that a provider started. `startToken` tells it from a later process with the same pid; `treeId` is the mark that
 * `spawnProcess` left in its environment, by which what it started is found when it is gone itself.
 */
export interface OwnedProcess {
  readonly pid: number;
  readonly startToken: string;
  readonly treeId?: string;
  readonly purpose: string;
  /** What its command line put it in. The host ends a session that was to be in a sandbox and has a process that is in none. */
  readonly sandbox?: SandboxKind;
  /** A service of the vendor's brings it back when it ends by itself: this job of it is ended by `Provider.endJob`. */
  readonly jobId?: string;
  /** Its environment came from somebody else: the mark in it, if there is one, is not this process's. */
  readonly unmarked?: true;
  /**
   * It serves several sessions: it ends with the provider, not with the session that happened to start it. Its environment must not carry that
   * session's `AGENT_RELAY_SESSION_ID`; what it runs for a session should carry the id of that one.
   */
  readonly shared?: boolean;
}

/** An HTTP MCP server that the agent gets, with headers that name the agent. */
export interface McpEndpoint {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** One link of a program that dialled in. */
export interface DialledLink {
  readonly duplex: MessageDuplex;
  /** What its upgrade request said. */
  readonly upgrade: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  /** A code for one session let it in, and no token of the agent's: it may go on with that session, and never end it to take its place. */
  readonly byCode?: boolean;
}

/** What the answer to the first words on a link tells of the program that gave it. */
export interface GreetedProgram {
  /** Somebody had spoken to it before: what it was handed then it may still have. */
  readonly isContinued: boolean;
  /** Which one it is, the same for as long as it runs: null where it did not say so. */
  readonly program: string | null;
  /** The session spoke to this very one on the link before. */
  readonly isSame: boolean;
}

/** A program that somebody else started, maybe on another machine. It dials again when its link breaks. */
export interface DialIn {
  /** The links that it opens, in order, the first included; iterated once. They end when the session does. */
  readonly links: AsyncIterable<DialledLink>;
  /** Told before the first words on each link: until `greeted` it may be another program that hears them. Written down when it returns. */
  readonly greeting: () => void;
  /** Told who has answered, before anything else is said to them; never of one that ends the session. Written down when it returns. */
  readonly greeted: (program: GreetedProgram) => void;
}

/**
 * A session that a person may open at a terminal. What the vendor runs beside it (its plugin) registers as the agent and fetches its mail: the provider
 * sees only to its beginning and its end.
 */
export interface BackgroundStart {
  /** Its first prompt, from a person. */
  readonly task: string | null;
  /** What the plugin reaches the relay with. */
  readonly relay: { readonly url: string; readonly token: string; readonly instanceId: string };
}

export type ReservedAgainst = (use: Readonly<Pick<Approval, 'kind' | 'cwd' | 'input'>>) => Promise<string | null>;

export interface StartOptions {
  readonly agentId: string;
  readonly sessionId: string;
  /** Absolute; exists. With `dialIn` it is where the program says that it works, as its own machine names it; `/` where it does not say. */
  readonly cwd: string;
  readonly mode: SpawnMode;
  /**
   * What holds in a turn that relay mail is part of, or another agent's task. `guarded`: what the mode would allow waits for a person before it writes, runs or goes
   * out, and what the mode forbids for good is refused without asking. `read-only`: refused.
   */
  readonly approval: ApprovalMode;
  /**
   * A person may be asked for what an `agentic` session may not do by itself: a command that no sandbox holds in its folder, the network. Left out,
   * that is refused with the reason. What a mode forbids for good is not asked: edits outside the folder, and of what can run commands.
   */
  readonly ask?: boolean;
  /**
   * Whether another agent keeps this one from files that a use of a tool would change: the reason, for the model, or null. A provider whose vendor tells of
   * each use asks before it lets one pass that nobody else is asked about, in whatever mode. Answers within seconds, with null where nobody knows.
   */
  readonly reservedAgainst?: ReservedAgainst;
  /** How long a question to a person waits before it counts as a no. Default ten minutes. */
  readonly approvalTimeoutMs?: number;
  readonly model?: string;
  /** The vendor's own id of a stored conversation that this session continues. */
  readonly resume?: string;
  /** With `resume`, where the vendor can: a copy is continued under an id of its own, for the conversation itself is somebody else's to go on with. */
  readonly fork?: boolean;
  /** Runs as a session of the vendor's own, apart from this process. Only where the provider's `abilities` say `background`. */
  readonly background?: BackgroundStart;
  /** The program runs already: speak to it over its links. Only where the provider `takesDialIns`. */
  readonly dialIn?: DialIn;
  /** What the agent should know about the relay; goes where the vendor puts standing instructions, never into a turn. */
  readonly instructions: string;
  readonly mcp: readonly McpEndpoint[];
  /** What every process of the session must be started in; left out, none. */
  readonly sandbox?: ProcessSandbox;
  /** The complete environment for the agent's processes. */
  readonly env: Readonly<Record<string, string>>;
  /** Told of each process as soon as it runs, so that a crash of the host leaves none unknown. */
  readonly onProcess: (process: OwnedProcess) => void;
  /** Aborting gives the start up and ends whatever it had begun. */
  readonly signal?: AbortSignal;
  /**
   * What a session does while its events lie unread. `drop`, as where it is left out: the oldest deltas and details go, and the agent works on. `wait`:
   * the session stops reading its vendor, so that every delta is read, and a reader that stands still holds its agent up.
   */
  readonly whenUnread?: 'drop' | 'wait';
  /**
   * Further arguments of the vendor's program, from whoever owns the machine: they can undo what the mode forbids. A provider whose sessions share a
   * program refuses them with `unsupported`.
   */
  readonly extraArgs?: readonly string[];
}

/** A picture that goes with a prompt. */
export interface PromptImage {
  /** `image/png`, `image/jpeg`, `image/gif` or `image/webp`. */
  readonly mediaType: string;
  /** Base64. */
  readonly data: string;
}

/** What enters a session: text, and the relay messages whose envelopes it carries. */
export interface PromptInput {
  readonly text: string;
  /** Go ahead of the text. A runtime that looks at no pictures says so, or its model does. */
  readonly images?: readonly PromptImage[];
  readonly messageIds: readonly number[];
  /**
   * Whether the session's `approval` holds for what this asks, as `isMail()` reads it. Left out, it does when there are messages; the task that
   * another agent gave is no message and held to it all the same.
   */
  readonly isMail?: boolean;
}

export interface PromptOptions {
  readonly mode: DeliveryMode;
  /**
   * A UUID. A program that dialled in, or a conversation whose provider `findsPrompts`, and has had a prompt of this id drops another one; without it each
   * prompt is new.
   */
  readonly promptId?: string;
  /** An earlier session handed it over under this id, and heard nothing of it. */
  readonly isRepeat?: boolean;
  /** With `isRepeat`: the vendor's own ids of the conversations that had it then, as far as the session goes on with none of them; oldest first. */
  readonly handedTo?: readonly string[];
}

/** A person's answer to an `approval.requested`: yes or no, one of its options, and what its form asks for. */
export interface ApprovalDecision extends Readonly<Pick<ApprovalAnswer, 'optionId' | 'answers' | 'updatedInput'>> {
  readonly outcome?: ApprovalAnswer['outcome'];
  /** The yes also holds for what the question offered for the rest of the session; where it offered nothing, it holds once. */
  readonly forSession?: true;
  /** Who answered, as `approval.resolved` tells it. */
  readonly by: string;
  /** For the agent; it reads it with a `deny`, where its vendor can tell it. */
  readonly message?: string;
}

/**
 * Files and folders of the user, by absolute path, that a vendor's program needs inside a sandbox, where nothing of the user's home is otherwise.
 * What is not there is passed over.
 */
export interface SandboxFiles {
  /** Folders that it may write in, and what it writes is forgotten. The others may lie in them. */
  readonly scratch?: readonly string[];
  /** What it may read: settings, credentials. Never what another program would run, in a folder of `write`. */
  readonly read?: readonly string[];
  /** Folders that it may write in for good, made where they are missing: its conversations of this folder. */
  readonly write?: readonly string[];
}

/** Keeps processes inside a session's folder. It knows the folder and what the vendor's `sandboxFiles` named. */
export interface ProcessSandbox {
  readonly kind: SandboxKind;
  /**
   * The same process as it is started inside. `files` are those of this one process, such as a file that it is handed.
   * @throws RelayError `unsupported` when it cannot be put inside.
   */
  confine<Options extends SpawnProcessOptions>(process: Options, files?: SandboxFiles): Promise<Options>;
}

/** Where a session of a vendor will run, as far as that decides which files its program needs. */
export interface SandboxPlace {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What the sessions of a vendor can do on every machine. */
export type VendorAbilities = Readonly<Pick<Abilities, 'steer' | 'approvals' | 'diffs' | 'reserves' | 'fork' | 'background'>> & {
  readonly modes: readonly SpawnMode[];
};

/** A kind of agent. One instance serves many sessions and may share a vendor process between them. */
export interface Provider {
  /** What people type: `claude`, `codex`. */
  readonly id: string;
  /**
   * The variables that the vendor's program reads of its environment, its own keys among them; `X_*` is every name that begins with `X_`. What every
   * program needs (its path, home, language, proxies, tools) it gets without being named; nothing else reaches it.
   */
  readonly environment?: readonly string[];
  /** What people call it, where that is more than the id. */
  readonly name?: string;
  /** A session may go on with a stored conversation (`StartOptions.resume`); without it none is asked to. */
  readonly resumes?: true;
  /**
   * A prompt that comes with `isRepeat` is looked for in the conversation that the session goes on with, and in those of `handedTo`, and is told of and not
   * handed over again where it is found, nor while one of these may still take it; without it prompts have no ids.
   */
  readonly findsPrompts?: true;
  /** Programs that somebody else started may dial in (`StartOptions.dialIn`); without it none is handed over. */
  readonly takesDialIns?: true;
  /** What its sessions can do besides; nobody is told, and everything tried, where it does not say. */
  readonly abilities?: VendorAbilities;
  /**
   * Which of the user's files its program needs. Without it no session of this kind can be put in a sandbox; with it `start` hands each process of
   * the session to `StartOptions.sandbox`, one that serves several sessions included.
   */
  sandboxFiles?(place: SandboxPlace): SandboxFiles;
  /** Ends a job that an earlier process of the provider left (`OwnedProcess.jobId`); one that has ended already is ended. */
  endJob?(jobId: string, env: Readonly<Record<string, string>>): Promise<void>;
  /** Looks for the vendor's program; never throws, never talks to a network. Asked again, each minute and before a start, while it is not there. */
  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability>;
  /**
   * Starts a session that is ready for its first prompt.
   * @throws RelayError `provider_unavailable` with one sentence that says what is missing, `not_found` when the conversation to go on with is gone.
   */
  start(options: StartOptions): Promise<AgentSession>;
  /**
   * Ends what the sessions shared. Sessions still open are closed first, and what is being started is given up; both are waited for, and nothing
   * starts any more: `start` rejects with `connection_closed`.
   */
  close(): Promise<void>;
}

/**
 * One running agent. Events belong to the session, not to a prompt, because a person may start turns too.
 *
 * States: `open` from start until `close()` or the end of the vendor's process, which a provider may also start again: then the running turn fails with
 * `agent_crashed`, what had not entered the conversation is handed over once more, and the session goes on. At last `ended`: `events` yields `session.ended` and finishes, and
 * every call but `close()` rejects with `connection_closed`.
 */
export interface AgentSession {
  /** In the background: the command by which a person opens it at a terminal. */
  readonly attach?: string;
  readonly vendorSessionId: string | null;
  readonly model: string | null;
  /**
   * Everything the agent does, in order; iterated once. The base holds: one `tool.completed` per `tool.started`, one end per turn also on a
   * crash, string ids, absolute paths, `session.ended` last.
   */
  readonly events: AsyncIterable<AgentEvent>;
  /**
   * Hands a prompt to the runtime; resolves when the vendor's own verb took it (that is `dispatched`). Stronger evidence follows as
   * `input.accepted` events, one per message and state. `next` waits for the turn to end, `now` steers the running turn, `urgent` interrupts it first,
   * `fyi` adds context without a turn of its own where the vendor can and the session's `approval` allows (`deliveryOf`), else it is `next`.
   * @throws RelayError `connection_closed` when the session has ended, `provider_unavailable` when the runtime refused it.
   */
  prompt(input: PromptInput, options: PromptOptions): Promise<void>;
  /** Stops the running turn; false when none was running. */
  interrupt(): Promise<boolean>;
  /**
   * Hands a person's answer to whoever waits for it; false when nothing of this id waits (any more). `SessionEvents.approvals` does it. Absent
   * where nothing is ever asked.
   * @throws RelayError `validation_failed` when the question does not take this answer.
   */
  resolveApproval?(approvalId: string, decision: ApprovalDecision): Promise<boolean>;
  /** Ends the session and the processes that are its own. Idempotent; resolves when they are gone. */
  close(): Promise<void>;
}
