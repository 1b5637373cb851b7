import { messageOf, RelayError, type SpawnMode } from 'agent-relay-protocol';
import type { AgentSession, ApprovalDecision } from 'agent-relay-provider';
import type { Log } from 'agent-relay-wire';
import { aborted, Serial } from 'agent-relay-wire';
import type { ClientSocket } from '../server/client-socket.ts';
import { Backlog } from '../sessions/backlog.ts';
import { instructionsOf } from '../sessions/instructions.ts';
import type { SessionSource } from '../sessions/session-source.ts';
import { type AiRelayFrame, AiRelayFrames, sessionStarted } from './frames.ts';
import { type AiRelayRequest, readFrame } from './read-frame.ts';
import { slashCommand } from './slash-commands.ts';

export interface AiRelaySessionOptions {
  readonly socket: ClientSocket;
  readonly source: SessionSource;
  readonly log: Log;
  readonly sessionId: string;
  /** The client's word for the kind of agent. */
  readonly tool: string;
  readonly provider: string;
  readonly cwd: string;
  readonly mode: SpawnMode;
  readonly model?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly extraArgs: readonly string[];
  readonly now: () => number;
}

/** One client with its agent. The agent goes with the socket, the socket with the agent. */
export class AiRelaySession {
  readonly ended: Promise<void>;
  readonly #options: AiRelaySessionOptions;
  readonly #closing = new AbortController();
  readonly #gone = aborted(this.#closing.signal);
  #model: string | undefined;
  #session: AgentSession | null = null;
  readonly #inOrder = new Serial();
  #isRestarting = false;
  readonly #backlog = new Backlog();
  /** Of what is done at once. */
  readonly #urgent = new Backlog();

  constructor(options: AiRelaySessionOptions) {
    this.#options = options;
    this.#model = options.model;
    void this.#inOrder.run(() => this.#do(() => this.#start(undefined), 'close'));
    this.ended = options.socket.closed.then(() => this.close());
  }

  /** Takes one frame; frames are done one after the other, except a stop, which does not wait. */
  receive(text: string): void {
    const request = readFrame(text);
    const isUrgent = request.type === 'interrupt' || request.type === 'permission';
    const backlog = isUrgent ? this.#urgent : this.#backlog;
    if (!backlog.hasRoom(text.length)) {
      this.#send({ type: 'error', text: 'Too many requests wait', metadata: { code: 'busy' } });
      return;
    }
    const leave = backlog.enter(text.length);
    if (isUrgent) void this.#do(() => (request.type === 'interrupt' ? this.#interrupt() : this.#permit(request))).finally(leave);
    else void this.#inOrder.run(() => this.#do(() => this.#perform(request)).finally(leave));
  }

  /** Ends the agent with what waits for it. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort(new RelayError('connection_closed', 'The client is gone'));
    // A prompt that waits for the turn before it would be waited for as long as that takes.
    await this.#end();
    await this.#inOrder.settled();
    // One that began meanwhile.
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.#session?.close().catch((error: unknown) => this.#options.log.error('an agent could not be ended', { error }));
  }

  async #perform(request: Exclude<AiRelayRequest, { type: 'interrupt' | 'permission' }>): Promise<void> {
    if (this.#closing.signal.aborted) return;
    switch (request.type) {
      case 'refused':
        this.#send({ type: 'error', text: request.reason });
        return;
      case 'model':
        this.#model = request.model;
        await this.#restart(this.#session?.vendorSessionId ?? undefined);
        this.#send({ type: 'input_ack', text: 'set_model' });
        return;
      case 'text':
        await this.#prompt(request.text);
    }
  }

  async #prompt(text: string): Promise<void> {
    const command = slashCommand(this.#options.provider, text);
    if (command.type === 'refused') {
      this.#send({ type: 'error', text: command.reason });
      return;
    }
    if (command.type === 'clear') await this.#restart(undefined);
    else await this.#hand(text);
    this.#send({ type: 'input_ack', text });
  }

  /** Resolves when the agent has it, or nobody waits for that any more: some agents take one only when the one before it is done. */
  async #hand(text: string): Promise<void> {
    const taken = this.#open().prompt({ text, messageIds: [], isMail: false }, { mode: 'next' });
    taken.catch(() => {}); // heard of below, unless the client is gone
    await Promise.race([taken, this.#gone]);
  }

  async #interrupt(): Promise<void> {
    const isStopped = await this.#open().interrupt();
    this.#send({ type: 'input_ack', text: 'interrupt', status: isStopped ? 'interrupted' : 'idle' });
  }

  async #permit({ requestId, optionId, verdict, message }: Extract<AiRelayRequest, { type: 'permission' }>): Promise<void> {
    const resolve = async (answer: Omit<ApprovalDecision, 'by'>) =>
      this.#open().resolveApproval?.(requestId, { ...answer, by: 'owner', ...(message === undefined ? {} : { message }) });
    const taken = await (optionId === undefined ? resolve(verdict) : resolve({ optionId }).catch(() => resolve(verdict)));
    if (taken !== true) this.#send({ type: 'error', request_id: requestId, text: 'Nothing waits for this permission' });
  }

  /** Another process goes on with the conversation, or begins one. */
  async #restart(resume: string | undefined): Promise<void> {
    const before = this.#open();
    this.#isRestarting = true;
    try {
      await before.close();
      await this.#start(resume);
    } finally {
      this.#isRestarting = false;
    }
  }

  async #start(resume: string | undefined): Promise<void> {
    const { source, provider, cwd, mode, env, extraArgs } = this.#options;
    const session = await source.start({
      ...{ provider, cwd, mode, env, extraArgs, projectId: null, resume, model: this.#model },
      instructions: instructionsOf(mode, ''),
      ask: mode === 'agentic',
      signal: this.#closing.signal,
    });
    this.#session = session;
    void this.#read(session);
  }

  async #read(session: AgentSession): Promise<void> {
    const { socket, tool, cwd, log } = this.#options;
    const frames = new AiRelayFrames(tool);
    let hasStarted = false;
    try {
      for await (const event of session.events) {
        // Clients wait for it with their first text, and some agents name their conversation only then.
        if (!hasStarted && event.type !== 'session.started') this.#send(sessionStarted({ vendorSessionId: '', cwd }, tool));
        hasStarted = true;
        // A process that makes way for another is no end of the session.
        if (event.type === 'session.ended' && this.#isRestarting) continue;
        for (const frame of frames.frames(event)) this.#send(frame);
        await socket.room();
      }
    } catch (error) {
      log.error('the events of a session broke', { error });
    }
    if (this.#session === session && !this.#isRestarting) socket.close(1000, 'The agent has ended');
  }

  #open(): AgentSession {
    if (this.#session) return this.#session;
    throw new RelayError('connection_closed', 'The agent has not started');
  }

  /** What fails is told to the client. */
  async #do(work: () => Promise<void>, onFailure?: 'close'): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RelayError)) this.#options.log.error('a request failed', { error });
      const message = messageOf(error);
      const code = error instanceof RelayError ? error.code : 'internal';
      this.#send({ type: 'error', text: message, metadata: { code } });
      if (onFailure) this.#options.socket.close(1000, 'The agent did not start');
    }
  }

  #send(frame: AiRelayFrame): void {
    const { socket, sessionId, now } = this.#options;
    const { type, ...rest } = frame;
    socket.send(JSON.stringify({ type, ts: now() / 1000, session_id: sessionId, ...rest }));
  }
}
