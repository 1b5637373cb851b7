import { messageOf, type SpawnMode } from 'agent-relay-protocol';
import { type Log, Serial } from 'agent-relay-wire';
import type { ClientSocket } from '../server/client-socket.ts';
import { Backlog } from '../sessions/backlog.ts';
import type { Conversations, OpenConversation } from '../sessions/conversations.ts';
import { makeSessionFolder, writeFiles } from '../sessions/project-folder.ts';
import type { Run, SessionSettings } from '../sessions/run.ts';
import { FollowedSession } from './followed-session.ts';
import type {
  AgentWsVersion,
  Capabilities,
  ClientMessage,
  PromptMessage,
  ServerMessage,
  SessionChoice,
  SessionSummary,
} from './messages.ts';
import { readClientMessage } from './read-client-message.ts';

export interface AgentWsOptions {
  readonly conversations: Conversations;
  readonly mode: SpawnMode;
  readonly agentName: string;
  readonly timeoutMs: number;
  /** How long a session of 1.2 waits for somebody to attach again. */
  readonly keepMs: number;
  readonly capabilities: (version: AgentWsVersion) => Promise<Capabilities>;
  readonly providers: Readonly<Record<AgentWsVersion, readonly string[]>>;
  readonly isClosing: () => boolean;
  readonly log: Log;
}

/** A prompt from its frame until its end. */
interface Pending {
  readonly requestId: string;
  readonly open: OpenConversation;
  run: Run | null;
  isCancelled: boolean;
  /** It waits no more. */
  readonly leave: () => void;
}

/** Sessions that one connection follows. */
const mostFollowed = 256;

/** Projects whose agents wait for the next prompt of one connection of 1.1, which knows no detaching. */
const mostWarm = 8;

const tooManySessions = `A connection follows at most ${mostFollowed} sessions: detach from one first`;
const notController = 'Only the controller of this session may prompt and cancel: send control first';

/** One client of agent-ws, in the version that it asked for. */
export class AgentWsConnection {
  readonly #socket: ClientSocket;
  readonly #options: AgentWsOptions;
  readonly #version: AgentWsVersion;
  readonly #systemPrompts = new Map<string, string>();
  readonly #pending = new Set<Pending>();
  readonly #backlog = new Backlog();
  readonly #followed = new Map<string, FollowedSession>();
  /** The session without a project that is warm for the next prompt, by provider. */
  readonly #spare = new Map<string, OpenConversation>();
  readonly #inOrder = new Serial();

  constructor(socket: ClientSocket, version: AgentWsVersion, options: AgentWsOptions) {
    this.#socket = socket;
    this.#version = version;
    this.#options = options;
    socket.onMessage((text) => this.#receive(text));
    void socket.closed.then(() => this.#leave());
    const { agentName, mode } = options;
    this.#send({ type: 'connected', version, agent: agentName, mode });
  }

  #receive(text: string): void {
    const read = readClientMessage(text, { version: this.#version, providers: this.#options.providers[this.#version] });
    if ('error' in read) this.#send({ type: 'error', message: read.error });
    else this.#handle(read.message, text.length);
  }

  #handle(message: ClientMessage, size: number): void {
    switch (message.type) {
      case 'prompt':
        this.#prompt(message, size);
        return;
      case 'cancel':
        this.#cancel(message.requestId);
        return;
      case 'capabilities':
        void this.#tellCapabilities();
        return;
      case 'sessions':
        this.#send({ type: 'sessions', sessions: this.#options.conversations.list.map(summaryOf) });
        return;
      case 'attach':
        this.#attach(message);
        return;
      case 'detach':
        this.#detach(message.sessionId);
        return;
      case 'control':
        this.#control(message.sessionId);
    }
  }

  /** With a relay it is that one's to say: where it is away, so much is said. */
  async #tellCapabilities(): Promise<void> {
    try {
      this.#send(await this.#options.capabilities(this.#version));
    } catch (error) {
      this.#options.log.warn('what can be done here could not be found out', { error });
      this.#send({ type: 'error', message: messageOf(error) });
    }
  }

  #prompt(message: PromptMessage, size: number): void {
    const { requestId, provider, systemPrompt } = message;
    const open = this.#admit(message, size);
    if (typeof open === 'string') {
      this.#send({ type: 'error', message: open, requestId });
      return;
    }
    const asked = open.conversation.options.provider;
    if (systemPrompt !== undefined) this.#systemPrompts.set(asked, systemPrompt);
    const pending: Pending = { requestId, open, run: null, isCancelled: false, leave: this.#enter(open, size) };
    this.#pending.add(pending);
    const followed = this.#follow(open, open.conversation.journal.head);
    const settings = {
      model: message.model,
      systemPrompt: this.#systemPrompts.get(asked) ?? '',
      thinkingTokens: provider === 'claude' ? message.thinkingTokens : undefined,
    };
    void this.#inOrder.run(() => this.#perform(pending, { message, followed, settings }));
  }

  /** The conversation that a prompt goes to; a string is why it goes to none. */
  #admit(message: PromptMessage, size: number): OpenConversation | string {
    if (this.#options.isClosing()) return 'Server is shutting down';
    if (this.#pending.size > 0 && !message.queue) return 'Request already in progress';
    if (!this.#backlog.hasRoom(size) || !this.#options.conversations.backlog.hasRoom(size)) return 'Too many prompts wait';
    const open = this.#conversationOf(message);
    if (typeof open !== 'string' && !open.backlog.hasRoom(size)) return 'Too many prompts wait';
    if (typeof open === 'string') return open;
    if (this.#version === '1.1') return open.controller === null ? open : 'This project is controlled by another connection';
    open.controller ??= this;
    return open.controller === this ? open : notController;
  }

  #enter(open: OpenConversation, size: number): () => void {
    const left = [this.#backlog, open.backlog, this.#options.conversations.backlog].map((backlog) => backlog.enter(size));
    return () => {
      for (const leave of left) leave();
    };
  }

  #conversationOf({ sessionId, projectId, provider }: PromptMessage): OpenConversation | string {
    const { conversations } = this.#options;
    if (!this.#mayFollow({ sessionId, projectId, provider })) return tooManySessions;
    if (sessionId !== undefined) return conversations.find(sessionId) ?? 'Unknown sessionId';
    if (projectId !== undefined) return conversations.ofProject(projectId, provider) ?? 'Invalid projectId';
    const spare = this.#spare.get(provider);
    this.#spare.delete(provider);
    return spare ?? conversations.fresh(provider);
  }

  async #perform(
    pending: Pending,
    { message, followed, settings }: { message: PromptMessage; followed: FollowedSession; settings: SessionSettings },
  ): Promise<void> {
    const { conversation } = pending.open;
    const { requestId, prompt: text, images, files } = message;
    const { projectId, cwd } = conversation.options;
    const { mode, log, timeoutMs } = this.#options;
    try {
      if (projectId !== null) {
        await makeSessionFolder(cwd);
        await writeFiles(files, { cwd, mode, log });
      } else if (files.length > 0) log.warn('files without a project were passed over', { count: files.length });
    } catch (error) {
      log.error('the folder of a project cannot be used', { projectId, error });
      if (!pending.isCancelled) this.#send({ type: 'error', message: `The folder of project ${projectId} cannot be used`, requestId });
      pending.isCancelled = true;
    }
    if (pending.isCancelled) {
      pending.leave();
      this.#pending.delete(pending);
      return;
    }
    const position = conversation.waiting;
    const run = conversation.submit({ requestId, text, images, settings, timeoutMs });
    pending.run = run;
    followed.own(run);
    if (message.queue && position > 0) this.#send({ type: 'queued', requestId, position });
    void run.over.then(() => this.#over(pending, settings));
  }

  #over(pending: Pending, settings: SessionSettings): void {
    pending.leave();
    this.#pending.delete(pending);
    const { conversation } = pending.open;
    if (this.#version === '1.2' || !this.#socket.isOpen) return;
    if (conversation.options.projectId !== null) {
      this.#leaveOldest();
      return;
    }
    // Each prompt without a project is a conversation of its own: the next one's process starts while nobody waits for it.
    const { provider, id } = conversation.options;
    void this.#followed.get(id)?.leaveWhenRead(() => this.#unfollow(id));
    if (this.#spare.has(provider) || this.#options.isClosing() || !this.#options.conversations.mayWarm) return;
    const spare = this.#options.conversations.fresh(provider);
    this.#options.conversations.hold(spare, this);
    this.#spare.set(provider, spare);
    spare.conversation.warm(settings);
  }

  /** Its conversation is kept: the next prompt of that project goes on with it in another process. */
  #leaveOldest(): void {
    const busy = new Set([...this.#pending].map(({ open }) => open));
    const idle = [...this.#followed].filter(
      ([, { open, hasRead }]) => hasRead && !busy.has(open) && open.conversation.options.projectId !== null,
    );
    for (const [id] of idle.slice(0, -mostWarm)) this.#unfollow(id);
  }

  #cancel(requestId: string | undefined): void {
    const isMeant = (pending: { readonly requestId: string }) =>
      this.#version === '1.1' || requestId === undefined || pending.requestId === requestId;
    for (const pending of [...this.#pending].filter(isMeant)) {
      if (pending.run) pending.open.conversation.cancel(pending.run);
      else if (!pending.isCancelled) {
        pending.isCancelled = true;
        this.#send({ type: 'error', message: 'Request cancelled', requestId: pending.requestId });
      }
      this.#pending.delete(pending);
    }
    // What was asked before the connection was lost.
    for (const { open } of this.#followed.values()) if (open.controller === this) open.conversation.cancelAll(requestId);
  }

  #attach({ sessionId, projectId, provider, after, role }: Extract<ClientMessage, { type: 'attach' }>): void {
    const { conversations } = this.#options;
    if (!this.#mayFollow({ sessionId, projectId, provider })) {
      this.#send({ type: 'error', message: tooManySessions });
      return;
    }
    const open = sessionId !== undefined ? (conversations.find(sessionId) ?? null) : conversations.ofProject(projectId ?? '.', provider);
    if (open === null) {
      this.#send({ type: 'error', message: sessionId === undefined ? 'Invalid projectId' : 'Unknown sessionId' });
      return;
    }
    if (role === 'controller') open.controller ??= this;
    const { id, projectId: itsProject, provider: itsProvider } = open.conversation.options;
    const seq = Math.min(after ?? open.conversation.journal.head, open.conversation.journal.head);
    this.#followed.get(id)?.close();
    this.#followed.delete(id);
    const told = { sessionId: id, provider: itsProvider, projectId: itsProject, seq };
    this.#send({ type: 'attached', ...told, role: open.controller === this ? 'controller' : 'observer' });
    this.#follow(open, seq);
  }

  #detach(sessionId: string): void {
    if (this.#followed.has(sessionId)) this.#unfollow(sessionId);
    this.#send({ type: 'detached', sessionId });
  }

  #control(sessionId: string): void {
    const followed = this.#followed.get(sessionId);
    if (!followed) {
      this.#send({ type: 'error', message: 'Attach to a session before you take it' });
      return;
    }
    const { open } = followed;
    const before = open.controller;
    open.controller = this;
    followed.setPace(true);
    if (before instanceof AgentWsConnection && before !== this) before.lostControl(sessionId);
    this.#send({ type: 'role', sessionId, role: 'controller' });
  }

  /** Somebody else took the session. */
  lostControl(sessionId: string): void {
    this.#followed.get(sessionId)?.setPace(false);
    this.#send({ type: 'role', sessionId, role: 'observer' });
  }

  /** Whether it follows this session already, or may follow one more. */
  #mayFollow({ sessionId, projectId, provider }: SessionChoice): boolean {
    if (this.#followed.size < mostFollowed) return true;
    const isIt = ({ open: { conversation } }: FollowedSession) =>
      conversation.options.projectId === projectId && conversation.options.provider === provider;
    return sessionId === undefined ? projectId !== undefined && [...this.#followed.values()].some(isIt) : this.#followed.has(sessionId);
  }

  #follow(open: OpenConversation, after: number): FollowedSession {
    const { id } = open.conversation.options;
    const known = this.#followed.get(id);
    if (known) {
      // Those used last are the last.
      this.#followed.delete(id);
      this.#followed.set(id, known);
      known.setPace(this.#setsPace(open));
      return known;
    }
    this.#options.conversations.hold(open, this);
    const place = { after, setsPace: this.#setsPace(open), isShared: this.#version === '1.2' };
    const followed = new FollowedSession(open, this.#socket, place);
    this.#followed.set(id, followed);
    return followed;
  }

  #setsPace(open: OpenConversation): boolean {
    return this.#version === '1.2' && open.controller === this;
  }

  #unfollow(sessionId: string): void {
    const followed = this.#followed.get(sessionId);
    this.#followed.delete(sessionId);
    followed?.close();
    if (followed) this.#options.conversations.release(followed.open, this, this.#keepMs);
  }

  get #keepMs(): number {
    return this.#version === '1.2' ? this.#options.keepMs : 0;
  }

  /** With 1.1 what runs ends with its connection; with 1.2 it waits to be attached again. */
  #leave(): void {
    if (this.#version === '1.1') this.#cancel(undefined);
    for (const id of [...this.#followed.keys()]) this.#unfollow(id);
    for (const spare of this.#spare.values()) this.#options.conversations.release(spare, this, 0);
  }

  #send(message: ServerMessage): void {
    this.#socket.send(JSON.stringify(message));
  }
}

const summaryOf = ({ conversation, holders }: OpenConversation): SessionSummary => {
  const { id: sessionId, provider, projectId } = conversation.options;
  return { sessionId, provider, projectId, isBusy: conversation.isBusy, seq: conversation.journal.head, connections: holders.size };
};
