import { randomUUID } from 'node:crypto';
import { RelayError } from 'agent-relay-protocol';
import { type DuplexClosed, type MessageDuplex, RecentSet } from 'agent-relay-wire';
import { z } from 'zod';
import { askSettings } from './ask-settings.ts';
import { type ControlAnswer, ControlRequests } from './control-requests.ts';
import { type ClaudeFrame, ClaudeFrameSchema, ControlCancelFrame, ControlRequestFrame, ControlResponseFrame } from './frames.ts';
import { type GreetedCli, KnownProcess } from './known-process.ts';
import { hasLoginHeader, lacksLogin, notLoggedIn, settingsEnvironment } from './login.ts';
import { checkOutgoing, type OutgoingFrame, type UserInputFrame } from './outgoing.ts';
import { assertPeerControl, checkPeerFrame, type PeerControl } from './peer-frames.ts';
import { type ClaudePermissionMode, checkPermissionMode } from './permission-mode.ts';
import { RequestDesk, type RequestHandlers } from './request-desk.ts';
import { UnacknowledgedPrompts } from './unacknowledged-prompts.ts';

export interface ClaudeConnectionOptions extends RequestHandlers {
  /**
   * Takes every frame but control traffic and keep-alives, once each, in order; a promise makes the CLI wait. A listener and not a loop,
   * because what Claude asks must be judged by everything it said before: a request is handled after this has settled for the frames before it.
   */
  readonly onFrame: (frame: ClaudeFrame) => void | Promise<void>;
  /** A prompt that nobody acknowledged went out once more, on another link. */
  readonly onSentAgain?: (uuid: string) => void;
  /** Told before the first words on each link. */
  readonly onGreeting?: () => void;
  /** Told who has answered `initialize`, before prompts go out; not of another process than before, which ends the connection. */
  readonly onGreeted?: (cli: GreetedCli) => void;
  /** Of these tools Claude asks for a permission, whatever else allows them; said at the beginning of every link. None: nothing is said. */
  readonly askAbout?: () => readonly string[];
  /** Goes with every `initialize`: hooks, agents and the like, as the CLI names them. A function is told whether the CLI took `askAbout`. */
  readonly initialize?: Readonly<Record<string, unknown>> | ((asks: boolean) => Readonly<Record<string, unknown>>);
  /** Set in the CLI at the beginning of every link: for one whose process somebody else started. Versions up to 2.1.120 take it. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long a control request may go unanswered. Default 60 000. */
  readonly controlTimeoutMs?: number;
  /** `exit`: the session ends with its link, as a child process does. `reconnect`: it waits for the next one. */
  readonly whenLinkEnds: 'exit' | 'reconnect';
  /** How long a session waits for its CLI to dial again. Default 630 000: the CLI gives up after 600 s. */
  readonly reconnectWithinMs?: number;
}

export interface ClaudePrompt {
  readonly content: string | readonly { readonly type: string }[];
  /** Stable: a prompt with a uuid that the CLI has seen is dropped, so sending it again after a reconnect is safe. */
  readonly uuid?: string;
  /** An earlier connection sent it already. */
  readonly isRepeat?: boolean;
  /** Between links: resolve when the next one comes and takes it, and reject with `connection_closed` where none does. */
  readonly waitsForLink?: boolean;
  /** `later` waits for the turn to end, `next` (the CLI's default) joins it at the next tool result, `now` aborts it first. */
  readonly priority?: 'now' | 'next' | 'later';
  /** False adds context without asking the model. */
  readonly shouldQuery?: boolean;
}

type Link = MessageDuplex<unknown, OutgoingFrame>;

/** Claude answers an interrupt at once; one that does not must not keep its agent. */
const interruptTimeoutMs = 10_000;
/** A reconnecting CLI repeats up to a thousand. */
const framesRemembered = 8192;
const repeatsKept = 256;
const lostClose: DuplexClosed = { code: 1006, reason: 'Claude Code did not dial again' };
const otherClose: DuplexClosed = { code: 1006, reason: 'another Claude Code dialled in under its name' };

/**
 * One Claude Code session over stream-json, whatever carries the lines: a child's stdio, or one WebSocket after another.
 *
 * States: *waiting* until the first `attach`, and between links; *attached*; *closed* for good after `close()`, or with its link when
 * `whenLinkEnds` is `exit`. Every control request of the CLI is answered, frames that come twice (a reconnecting CLI repeats up to a
 * thousand) are handed over once, prompts that were never acknowledged are sent again on the next link.
 */
export class ClaudeConnection {
  /** Resolves with the close of the last link when the connection has ended for good. */
  readonly closed: Promise<DuplexClosed>;
  readonly #options: ClaudeConnectionOptions;
  readonly #requests: ControlRequests;
  readonly #desk: RequestDesk;
  readonly #seen = new RecentSet<string>(framesRemembered);
  readonly #unacknowledged = new UnacknowledgedPrompts();
  /** Of these two echoes are handed over: the first may tell no more than that the CLI has dropped a prompt which it had. */
  readonly #repeats = new RecentSet<string>(repeatsKept);
  readonly #process = new KnownProcess();
  #link: Link | undefined;
  #version: string | null = null;
  /** Its process is known for the one that prompts are meant for. */
  #isGreeted = false;
  #reconnectTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #resolveClosed: (closed: DuplexClosed) => void = () => {};

  constructor(options: ClaudeConnectionOptions) {
    this.#options = options;
    this.#requests = new ControlRequests(options.controlTimeoutMs ?? 60_000);
    this.#desk = new RequestDesk(options, (response) => this.#write(response));
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** By its refusal of the first `initialize` here, as up to 2.1.120: somebody had spoken to this CLI before. Newer ones take each. */
  get isContinued(): boolean {
    return this.#process.isContinued;
  }

  /** Of the CLI, on its own machine; null where it has not said so. */
  get processId(): string | null {
    return this.#process.pid;
  }

  /** Of the CLI; null where it has not said so, as up to 2.1.197. */
  get version(): string | null {
    return this.#version;
  }

  get isAttached(): boolean {
    return this.#link !== undefined;
  }

  /**
   * Takes a link that is open and says `initialize` on it; resolves with Claude's answer. A link that was there before is replaced. The
   * permission requests that Claude says are still open are answered, and unacknowledged prompts are sent again. Another process than before is
   * told none of this: what was said to the one before may have been read, and the connection ends.
   * @throws RelayError `connection_closed`, `timeout`.
   */
  async attach(link: Link): Promise<ControlAnswer> {
    if (this.#isClosed) throw this.#connectionClosed();
    clearTimeout(this.#reconnectTimer);
    const previous = this.#link;
    this.#link = link;
    this.#isGreeted = false;
    if (previous) {
      this.#requests.rejectAll(new RelayError('connection_closed', 'Claude Code connected again'));
      // Any other code makes a CLI dial again, and two that were given one URL would push each other out for ever.
      void previous.close({ code: 4001, reason: 'replaced' });
    }
    void this.#read(link);
    const answer = await this.#greet(link);
    this.#desk.repeatHookAnswers();
    for (const pending of answer.pendingPermissionRequests) this.#receivePending(pending);
    for (const [uuid, prompt] of this.#unacknowledged.frames) this.#sendAgain(uuid, prompt);
    this.#isGreeted = true;
    return answer;
  }

  /**
   * Looks whether the CLI that answered `initialize` so is logged in; `env` is what its process was started with.
   * @throws RelayError `provider_unavailable` with how to log in; `connection_closed`, `timeout`.
   */
  async assertLogin(answer: ControlAnswer, env: Readonly<Record<string, string>>): Promise<void> {
    if (!lacksLogin(answer) || hasLoginHeader(env)) return;
    const { isSuccess, response } = await this.#ask('get_settings', {});
    if (isSuccess && !hasLoginHeader(settingsEnvironment(response))) throw new RelayError('provider_unavailable', notLoggedIn);
  }

  /** Sends a prompt and returns its uuid. Between links it is kept and sent on the next. */
  async prompt(prompt: ClaudePrompt): Promise<string> {
    if (this.#isClosed) throw this.#connectionClosed();
    const { content, uuid = randomUUID(), isRepeat = false, waitsForLink = false, priority, shouldQuery } = prompt;
    const frame: UserInputFrame = {
      type: 'user',
      uuid,
      session_id: '',
      parent_tool_use_id: null,
      message: { role: 'user', content: typeof content === 'string' ? content : [...content] },
      ...(priority === undefined ? {} : { priority }),
      ...(shouldQuery === undefined ? {} : { shouldQuery }),
    };
    const checked = checkOutgoing(frame);
    const said = this.#unacknowledged.keep(uuid, frame);
    if (isRepeat) this.#repeats.add(uuid);
    const link = this.#isGreeted ? this.#link : undefined;
    if (link) this.#unacknowledged.said(uuid);
    try {
      await link?.send(checked);
    } catch (error) {
      // A link that is just breaking may have carried it, else the next one does. Whoever were told otherwise would say it again, under another uuid.
      if (this.#options.whenLinkEnds === 'exit') throw error;
    }
    if (waitsForLink) await said;
    return uuid;
  }

  /**
   * Sends a control request of those that anybody may send; hooks, the environment and the permission mode have ways of their own.
   * @throws RelayError `forbidden` for another subtype, `unsupported` with Claude's words when it refuses, `timeout`, `connection_closed`.
   */
  async control(
    subtype: PeerControl,
    fields: Readonly<Record<string, unknown>> = {},
    { timeoutMs }: { readonly timeoutMs?: number } = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    return this.#control(assertPeerControl(subtype), fields, timeoutMs);
  }

  /** Stops the running turn; without one it does nothing. */
  async interrupt(): Promise<void> {
    await this.control('interrupt', {}, { timeoutMs: Math.min(interruptTimeoutMs, this.#options.controlTimeoutMs ?? interruptTimeoutMs) });
  }

  async setModel(model: string): Promise<void> {
    await this.control('set_model', { model });
  }

  /** @throws RelayError `validation_failed` for a mode that is none: older versions would take it. */
  async setPermissionMode(mode: ClaudePermissionMode): Promise<void> {
    await this.#control('set_permission_mode', { mode: checkPermissionMode(mode) });
  }

  /** Replaces the MCP servers that were set so before; those of the CLI's own settings stay. @throws RelayError `unsupported` when one does not answer. */
  async setMcpServers(servers: Readonly<Record<string, object>>): Promise<void> {
    const { errors } = await this.#control('mcp_set_servers', { servers });
    const failed = Object.entries(z.record(z.string(), z.string()).catch({}).parse(errors));
    if (failed.length > 0)
      throw new RelayError('unsupported', failed.map(([name, error]) => `The MCP server ${name} did not start: ${error}`).join('; '));
  }

  /** Replaces the tools that Claude was told to ask about. @throws RelayError `unsupported` where the CLI takes no such word, `timeout`, `connection_closed`. */
  async askAbout(tools: readonly string[]): Promise<void> {
    await this.#control('apply_flag_settings', { settings: askSettings(tools) });
  }

  /** Lets Claude end by itself: a running turn is interrupted first. */
  async endSession(): Promise<void> {
    await this.control('end_session');
  }

  /**
   * Writes a frame of somebody else's, cut down to what anybody may say to a CLI.
   * @throws RelayError `validation_failed` for one that would end the CLI, `forbidden` for one that only this package says.
   */
  async send(frame: unknown): Promise<void> {
    if (!this.#link) throw this.#connectionClosed();
    await this.#link.send(checkPeerFrame(frame));
  }

  /** Ends the connection for good. Code 4001 also tells a CLI that dialled in to end; after any other it would dial again. */
  async close(reason: DuplexClosed = { code: 4001, reason: 'closed' }): Promise<void> {
    const link = this.#link;
    this.#end(reason);
    await link?.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #greet(link: Link): Promise<ControlAnswer> {
    const { environment, askAbout, initialize = {}, onGreeting, onGreeted } = this.#options;
    onGreeting?.();
    if (environment) await link.send(checkOutgoing({ type: 'update_environment_variables', variables: { ...environment } }));
    const tools = askAbout?.() ?? [];
    const asks = tools.length > 0 && (await this.#ask('apply_flag_settings', { settings: askSettings(tools) })).isSuccess;
    this.#process.asked();
    const answer = await this.#ask('initialize', typeof initialize === 'function' ? initialize(asks) : initialize);
    const { claude_code_version: version } = answer.response;
    if (typeof version === 'string') this.#version = version;
    const greeted = this.#process.answered(answer);
    if (greeted === null) {
      this.#end(otherClose);
      throw this.#connectionClosed();
    }
    onGreeted?.(greeted);
    return answer;
  }

  async #control(subtype: string, fields: Readonly<Record<string, unknown>>, timeoutMs?: number) {
    const answer = await this.#ask(subtype, fields, timeoutMs);
    if (!answer.isSuccess) throw new RelayError('unsupported', `Claude Code refused ${subtype}: ${answer.error}`);
    return answer.response;
  }

  async #ask(subtype: string, fields: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<ControlAnswer> {
    const link = this.#link;
    if (!link) throw this.#connectionClosed();
    const { requestId, answer } = this.#requests.add(subtype, timeoutMs);
    await link.send(checkOutgoing({ type: 'control_request', request_id: requestId, request: { ...fields, subtype } }));
    return answer;
  }

  async #read(link: Link): Promise<void> {
    try {
      for await (const message of link.incoming) {
        if (this.#link !== link) break;
        await this.#receive(message);
      }
    } catch {
      // The link's fault is also what its `closed` resolves with.
    }
    const closed = await link.closed;
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#requests.rejectAll(this.#connectionClosed());
    if (this.#options.whenLinkEnds === 'exit') this.#end(closed);
    else if (!this.#isClosed) this.#reconnectTimer = setTimeout(() => this.#end(lostClose), this.#options.reconnectWithinMs ?? 630_000);
  }

  #receive(message: unknown): void | Promise<void> {
    const parsed = ClaudeFrameSchema.safeParse(message);
    if (!parsed.success) return;
    const frame = parsed.data;
    switch (frame.type) {
      case 'keep_alive':
        return;
      case 'control_request':
        this.#receivePending(frame);
        return;
      case 'control_response': {
        const response = ControlResponseFrame.safeParse(frame);
        if (response.success) this.#requests.settle(response.data);
        return;
      }
      case 'control_cancel_request': {
        const cancelled = ControlCancelFrame.safeParse(frame);
        if (cancelled.success) this.#desk.cancel(cancelled.data.request_id);
        return;
      }
    }
    this.#unacknowledged.heard(frame);
    if (frame.uuid !== undefined) {
      if (this.#seen.has(frame.uuid)) return this.#process.recognised();
      const isFirstEchoOfRepeat = frame.type === 'user' && this.#repeats.delete(frame.uuid);
      if (!isFirstEchoOfRepeat) this.#seen.add(frame.uuid);
    }
    return this.#options.onFrame(frame);
  }

  #receivePending(frame: unknown): void {
    const request = ControlRequestFrame.safeParse(
      typeof frame === 'object' && frame !== null ? { type: 'control_request', ...frame } : frame,
    );
    if (request.success) this.#desk.receive(request.data);
  }

  #sendAgain(uuid: string, prompt: UserInputFrame): void {
    if (this.#unacknowledged.wasSaid(uuid)) {
      this.#repeats.add(uuid);
      this.#options.onSentAgain?.(uuid);
    }
    this.#unacknowledged.said(uuid);
    this.#write(prompt);
  }

  #write(frame: OutgoingFrame): void {
    // A frame that its link could not take is not lost: prompts and answers are kept and sent again on the next one.
    this.#link?.send(checkOutgoing(frame)).catch(() => {});
  }

  #end(closed: DuplexClosed): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#link = undefined;
    clearTimeout(this.#reconnectTimer);
    const error = this.#connectionClosed();
    this.#requests.rejectAll(error);
    this.#desk.close(error);
    this.#unacknowledged.end(error);
    this.#resolveClosed(closed);
  }

  #connectionClosed(): RelayError {
    return new RelayError('connection_closed', this.#isClosed ? 'The Claude Code session has ended' : 'Claude Code is not connected');
  }
}
