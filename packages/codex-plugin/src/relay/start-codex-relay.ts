import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentIdentity, agentIdentity } from 'agent-relay-client/node';
import {
  type CodexClient,
  type CodexEndpoint,
  type CodexThread,
  isThreadInUse,
  type Launched,
  launch,
  type ResumeThreadParams,
  type ThreadOptions,
} from 'agent-relay-codex-app-server';
import { longestToolWaitMs, MCP_PATH, MCP_SERVER_NAME, messageOf, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import { type ChildHandle, processIdentity } from 'agent-relay-wire/node';
import { z } from 'zod';
import { ContextNote } from '../session/context-note.ts';
import { sessionCommand } from '../session/own-program.ts';
import { endLeftBehind, ProcessNote, SESSION_FOLDER } from '../session/process-note.ts';
import { type AgentAtRelay, AgentPresence, approvalNow } from './agent-presence.ts';
import { LiveThreads } from './live-threads.ts';
import { MailLine, SettingsAnswer } from './mail-line.ts';
import { SessionDoor } from './session-door.ts';
import { sessionText, versionWarning } from './session-text.ts';

export interface CodexRelayOptions {
  /** The folder that Codex works in. */
  readonly cwd: string;
  /** The environment of Codex, and what says which relay and which profile. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told in a sentence of what a person should know. */
  readonly tell: (sentence: string) => void;
  /** What tells this session from others of the folder: the same key is the same agent again. Default: a new one. */
  readonly sessionKey?: string;
  /** Default: `codex` from the `PATH` of `env`. */
  readonly command?: string;
  /** Gives the start up. */
  readonly signal?: AbortSignal;
}

const shownUrl = 'http://127.0.0.1:4850';
const loadedAnswer = z.looseObject({});

/**
 * Starts a Codex app-server with an agent of the relay attached: whatever conversation is opened on `address` gets the agent's mail.
 * @throws RelayError `provider_unavailable` without a Codex that starts, `validation_failed` for settings that are none; a relay that is away
 *   is no error.
 */
export async function startCodexRelay(options: CodexRelayOptions): Promise<CodexRelay> {
  const { env, cwd, sessionKey = randomUUID(), signal } = options;
  const identity = agentIdentity({ cwd, env, sessionKey, provider: 'codex', defaults: { tags: ['codex'] } });
  let relay: CodexRelay | undefined;
  await endLeftBehind(env);
  // A server that is started again listens where Codex's terminal looks for it.
  const runtimeDir = await mkdtemp(join(tmpdir(), SESSION_FOLDER));
  const note = await ProcessNote.begin(env, runtimeDir);
  const door = await SessionDoor.open({ upstream: () => relay?.attached });
  const leave = async () => {
    await door.close();
    await rm(runtimeDir, { recursive: true, force: true, maxRetries: 5 });
    note?.end();
  };
  try {
    const server = {
      command: options.command,
      env: sessionEnvironment(env, identity.id, door),
      config: relayTools(door),
      runtimeDir,
      onProcess: (child: ChildHandle) => note?.add(child.identity),
    };
    const clientInfo = { name: 'codex_relay', title: 'codex-relay', version: RELAY_VERSION };
    const launched = await launch({ server, client: { clientInfo }, signal, onDeath: () => relay?.serverDied() });
    relay = new CodexRelay({ ...options, ...launched, identity, leave, note, endpoint: await launched.server.endpoint() });
    return relay;
  } catch (error) {
    await leave();
    throw error;
  }
}

/** What the session's shells have: who it is and where its relay is, and no token but that of its door. */
function sessionEnvironment(env: CodexRelayOptions['env'], agentId: string, door: SessionDoor): CodexRelayOptions['env'] {
  const others = Object.entries(env).filter(([name]) => !name.startsWith('AGENT_RELAY_') || name === 'AGENT_RELAY_PROCESS_TREE');
  return {
    ...Object.fromEntries(others),
    AGENT_RELAY_ID: agentId,
    // By this one the relay's commands know that no person types them.
    AGENT_RELAY_AGENT_ID: agentId,
    AGENT_RELAY_URL: door.url,
    AGENT_RELAY_TOKEN: door.secret,
  };
}

/** The door waits 25 s for a relay that is away. */
const answerLimitMs = 45_000;

const relayTools = (door: SessionDoor) => ({
  [`mcp_servers.${MCP_SERVER_NAME}.url`]: `${door.url}${MCP_PATH}`,
  [`mcp_servers.${MCP_SERVER_NAME}.bearer_token_env_var`]: 'AGENT_RELAY_TOKEN',
  // Without it the policy `never` refuses every call.
  [`mcp_servers.${MCP_SERVER_NAME}.default_tools_approval_mode`]: 'approve',
  [`mcp_servers.${MCP_SERVER_NAME}.tool_timeout_sec`]: (longestToolWaitMs() + answerLimitMs) / 1000,
});

interface Parts extends CodexRelayOptions, Launched {
  readonly identity: AgentIdentity;
  /** Of the first server; on unix it is that of all. */
  readonly endpoint: CodexEndpoint;
  /** Leaves the session's places when nothing runs there. */
  readonly leave: () => Promise<void>;
  readonly note: ProcessNote | null;
}

/**
 * A running Codex app-server, the agent that it is at the relay, and what goes between them.
 *
 * States: *running* from the start, through deaths of the app-server, which is started again; *ended* when it stays dead, or after `close()`, which
 * leaves nothing running.
 */
export class CodexRelay {
  readonly agentId: string;
  readonly #parts: Parts;
  readonly #link: AgentPresence;
  readonly #threads: LiveThreads;
  readonly #mail: MailLine;
  readonly #closing = new AbortController();
  #wasAway = false;
  /** Conversations that were told that the relay is away. */
  readonly #toldAway = new Set<string>();
  #closed: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { client: codex, env, identity, tell, server } = parts;
    this.agentId = identity.id;
    const onError = (error: unknown) => {
      if (!this.#closing.signal.aborted && !codex.isClosed) tell(messageOf(error));
    };
    void server.gaveUp.then((why) => {
      tell(`Codex's server is not started again: ${why}`);
      return codex.close();
    });
    this.#threads = new LiveThreads({
      client: codex,
      recovery: () => this.#mail.recovery,
      onThread: (threadId) => this.#introduce(threadId),
      onCompacted: (threadId) => this.#introduce(threadId),
      onBusy: (isBusy) => this.#link.setStatus(isBusy ? 'busy' : 'idle'),
      onEcho: (clientId, turnId) => this.#mail.echoed(clientId, turnId),
      onTurnEnd: (turnId, hasRun) => this.#mail.turnEnded(turnId, hasRun),
      onError,
    });
    const context = new ContextNote(env, identity.id);
    this.#mail = new MailLine({ codex, threads: () => this.#threads, onError, isContinued: parts.sessionKey !== undefined, context });
    this.#link = new AgentPresence({
      env,
      identity,
      onAttached: (attached) => void this.#attachedTo(attached).catch(onError),
      onAway: (reason) => {
        this.#wasAway = true;
        tell(`The relay cannot be reached: ${reason}. Codex goes on; mail comes, and what is sent goes, when it is back.`);
      },
      onProxy: tell,
      onReplaced: () => {
        this.#wasAway = true;
        tell(`Another session has become ${this.agentId}, and gets its mail; it comes here again once that session has ended.`);
      },
    });
  }

  get attached(): AgentAtRelay | undefined {
    return this.#link.attached;
  }

  /** Where the app-server listens, as `codex --remote` takes it. */
  get address(): string {
    return addressOf(this.#parts.endpoint);
  }

  /** The token that it asks for, where it is no unix socket. */
  get addressToken(): string | undefined {
    const { endpoint } = this.#parts;
    return endpoint.transport === 'websocket' ? endpoint.token : undefined;
  }

  /** A process that belongs to the session: should this one be killed, the next `codex-relay` ends it. */
  async own(pid: number): Promise<void> {
    const identity = await processIdentity(pid);
    if (identity) this.#parts.note?.add(identity);
  }

  /** Resolves when the app-server stays dead, or is closed. */
  get ended(): Promise<void> {
    return this.#parts.client.closed;
  }

  /** Resolves once the agent is at the relay; `false` when it is not within this time. */
  async isAttachedWithin(ms: number): Promise<boolean> {
    const { signal } = this.#closing;
    for (let waitedMs = 0; waitedMs < ms && !this.attached && !signal.aborted; waitedMs += 20) await sleep(20, { signal });
    return this.attached !== undefined;
  }

  /** How a conversation may act, as Codex says it. */
  async settingsOf(threadId: string): Promise<{ readonly approvalPolicy: unknown; readonly sandbox: unknown }> {
    return await this.#parts.client.ask(SettingsAnswer, 'thread/resume', { threadId, excludeTurns: true });
  }

  /** Opens a conversation that nobody looks at yet, or continues a stored one; answers its id. */
  async openThread({ resumes, approvalPolicy, sandbox }: HeadlessThread): Promise<string> {
    const { client: codex, cwd } = this.#parts;
    const mode = { cwd, approvalPolicy, sandbox };
    // Requests are for whoever attaches.
    const options = { onRequest: () => new Promise(() => {}), recovery: this.#mail.recovery };
    const thread = await (resumes === null ? codex.startThread(mode, options) : resumeHere(codex, resumes, { mode, options }));
    await this.#threads.adopt(thread);
    return thread.id;
  }

  /** Says something in a conversation, as the person at its terminal would. */
  async say(threadId: string, text: string): Promise<void> {
    const input = [{ type: 'text', text, text_elements: [] }];
    await this.#parts.client.request('turn/start', { threadId, clientUserMessageId: randomUUID(), input });
  }

  /** The app-server has died, and is started again. */
  serverDied(): void {
    this.#mail.serverDied();
  }

  /** Says offline, ends the app-server and every command it started. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    this.#threads.close();
    await this.#link.close();
    await this.#parts.client.close();
    await this.#parts.server.close();
    await this.#parts.leave();
  }

  async #attachedTo(attached: AgentAtRelay): Promise<void> {
    const { client: codex, tell } = this.#parts;
    const warning = versionWarning(attached.version);
    if (warning !== null) tell(warning);
    if (this.#wasAway) {
      this.#wasAway = false;
      tell(`The relay at ${attached.url} is there; this session is ${this.agentId}.`);
      // Its tools could not be asked for before; a Codex that cannot do this has them with the next conversation.
      await codex.ask(loadedAnswer, 'config/mcpServer/reload', {}).catch(() => {});
    }
    for (const threadId of this.#toldAway) {
      this.#toldAway.delete(threadId);
      // One that Codex has let go meanwhile keeps no mail from the others.
      await this.#introduce(threadId).catch((error: unknown) => tell(messageOf(error)));
    }
    await this.#mail.run(attached, this.#closing.signal);
  }

  async #introduce(threadId: string): Promise<void> {
    const { client: codex, env, identity } = this.#parts;
    const attached = this.attached;
    if (attached === undefined) this.#toldAway.add(threadId);
    // A relay that goes away meanwhile has said what held last.
    const approval = attached ? await approvalNow(attached).catch(() => attached.handle.agent.approval) : (identity.approval ?? 'open');
    const text = sessionText({
      agentId: this.agentId,
      url: attached?.url ?? (env['AGENT_RELAY_URL'] || shownUrl),
      serverVersion: attached?.version ?? null,
      approval,
      command: await sessionCommand(env, 'agent-relay'),
    });
    const items = [{ type: 'message', role: 'developer', content: [{ type: 'input_text', text }] }];
    await codex.request('thread/inject_items', { threadId, items });
  }
}

export interface HeadlessThread {
  /** A stored conversation's id, null for a new one. */
  readonly resumes: string | null;
  readonly approvalPolicy: 'untrusted' | 'on-request' | 'never';
  readonly sandbox: 'read-only' | 'workspace-write' | 'danger-full-access';
}

async function resumeHere(
  codex: CodexClient,
  threadId: string,
  { mode, options }: { readonly mode: ResumeThreadParams; readonly options: ThreadOptions },
): Promise<CodexThread> {
  return await codex.resumeThread(threadId, mode, options).catch((cause: unknown) => {
    if (!isThreadInUse(cause)) throw cause;
    throw new RelayError('provider_unavailable', `The conversation ${threadId} is open in another Codex: close it there first`, { cause });
  });
}

function addressOf(endpoint: CodexEndpoint): string {
  switch (endpoint.transport) {
    case 'unix':
      return `unix://${endpoint.socketPath}`;
    case 'websocket':
      return endpoint.url;
    case 'stdio':
      return 'stdio';
  }
}
