import { randomUUID } from 'node:crypto';
import type { SpawnMode } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import { Backlog } from './backlog.ts';
import type { KeptConversations } from './kept-conversations.ts';
import { projectFolder } from './project-folder.ts';
import type { SessionSource } from './session-source.ts';
import { SharedRoom } from './shared-room.ts';
import { WarmConversation } from './warm-conversation.ts';

export interface ConversationsOptions {
  readonly source: SessionSource;
  readonly kept: KeptConversations;
  readonly mode: SpawnMode;
  readonly log: Log;
  /** Absolute: the projects' folders are in it. */
  readonly root: string;
  /** Where prompts without a project work. */
  readonly cwd: string;
}

const mostSpares = 4;
/** That nobody follows, and that wait for somebody to. */
const mostLeft = 256;
/** What waits in all of them together. */
const waitingTogether = { requests: 4096, characters: 64 << 20 };

/** Whoever uses a conversation: a connection. */
export type Holder = object;

/** A conversation with those who use it. */
export interface OpenConversation {
  readonly conversation: WarmConversation;
  readonly holders: Set<Holder>;
  /** The prompts that were admitted to it and are not over. */
  readonly backlog: Backlog;
  /** Who prompts and cancels, where that was said. */
  controller: Holder | null;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The conversations of a bridge: one for each project and provider, whoever uses it, and one for each prompt without a project. */
export class Conversations {
  readonly #options: ConversationsOptions;
  readonly #open = new Map<string, OpenConversation>();
  readonly #ofPlaces = new Map<string, OpenConversation>();
  readonly #closing = new Map<string, Promise<void>>();
  /** The one left longest ago first. */
  readonly #left = new Set<OpenConversation>();
  readonly #room = new SharedRoom();
  /** The prompts of all conversations that are not over. */
  readonly backlog = new Backlog(waitingTogether);

  constructor(options: ConversationsOptions) {
    this.#options = options;
  }

  get list(): readonly OpenConversation[] {
    return [...this.#open.values()];
  }

  get isBusy(): boolean {
    return this.list.some(({ conversation }) => conversation.isBusy);
  }

  find(id: string): OpenConversation | undefined {
    return this.#open.get(id);
  }

  /** That of a project, which begins with its first use; null when the id names no folder of its own. */
  ofProject(projectId: string, provider: string): OpenConversation | null {
    const cwd = projectFolder(this.#options.root, projectId);
    if (cwd === null) return null;
    return this.#ofPlaces.get(placeOf(projectId, provider)) ?? this.#create(cwd, { projectId, provider });
  }

  /** One that begins anew, in the folder of the bridge. */
  fresh(provider: string): OpenConversation {
    return this.#create(this.#options.cwd, { projectId: null, provider });
  }

  /** Whether one more process may wait for a prompt that perhaps never comes. */
  get mayWarm(): boolean {
    return this.list.filter(({ conversation }) => conversation.options.projectId === null && !conversation.isBusy).length < mostSpares;
  }

  hold(open: OpenConversation, holder: Holder): void {
    clearTimeout(open.timer);
    this.#left.delete(open);
    open.holders.add(holder);
  }

  /** The last one to leave ends it: after `keepMs`, or when too many have been left since; at once where nothing was ever asked. */
  release(open: OpenConversation, holder: Holder, keepMs: number): void {
    open.holders.delete(holder);
    if (open.controller === holder) open.controller = null;
    if (open.holders.size > 0) return;
    clearTimeout(open.timer);
    if (keepMs === 0 || (open.conversation.journal.head === 0 && open.backlog.isEmpty)) {
      void this.#close(open);
      return;
    }
    open.timer = setTimeout(() => void this.#close(open), keepMs);
    this.#left.add(open);
    for (const oldest of this.#left) {
      if (this.#left.size <= mostLeft) return;
      void this.#close(oldest);
    }
  }

  async close(message: string): Promise<void> {
    await Promise.all([...this.list.map((open) => this.#close(open, message)), ...this.#closing.values()]);
  }

  #create(cwd: string, { projectId, provider }: { readonly projectId: string | null; readonly provider: string }): OpenConversation {
    const { source, kept, mode, log } = this.#options;
    const id = randomUUID();
    const place = placeOf(projectId ?? id, provider);
    const after = this.#closing.get(place) ?? Promise.resolve();
    const conversation = new WarmConversation({ id, provider, projectId, cwd, mode, source, kept, log, after, room: this.#room });
    const open: OpenConversation = { conversation, holders: new Set(), backlog: new Backlog(), controller: null, timer: undefined };
    this.#open.set(id, open);
    this.#ofPlaces.set(place, open);
    return open;
  }

  /** The next in its place begins when its process is gone: a conversation has one writer. */
  #close(open: OpenConversation, message?: string): Promise<void> {
    const { conversation, timer } = open;
    clearTimeout(timer);
    this.#left.delete(open);
    const { id, projectId, provider } = conversation.options;
    this.#open.delete(id);
    const place = placeOf(projectId ?? id, provider);
    if (this.#ofPlaces.get(place)?.conversation === conversation) this.#ofPlaces.delete(place);
    const closing = Promise.all([this.#closing.get(place), conversation.close(message)])
      .then(() => {})
      .catch((error: unknown) => this.#options.log.error('a conversation could not be closed', { error }))
      .finally(() => {
        if (this.#closing.get(place) === closing) this.#closing.delete(place);
      });
    this.#closing.set(place, closing);
    return closing;
  }
}

const placeOf = (project: string, provider: string): string => `${provider}/${project}`;
