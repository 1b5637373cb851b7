import type { ClientSocket } from '../server/client-socket.ts';
import type { OpenConversation } from '../sessions/conversations.ts';
import type { JournalEntry, JournalReader } from '../sessions/journal.ts';
import type { Run } from '../sessions/run.ts';
import type { JournalFrame } from '../sessions/warm-conversation.ts';

export interface FollowedSessionOptions {
  /** The last frame that the client has. */
  readonly after: number;
  readonly setsPace: boolean;
  /** 1.2: everything of the session, with its number; else what answers this connection's own prompts. */
  readonly isShared: boolean;
}

const batch = 64;

/** Brings one session's frames to one client, no faster than that takes them. */
export class FollowedSession {
  readonly open: OpenConversation;
  readonly #socket: ClientSocket;
  readonly #isShared: boolean;
  readonly #reader: JournalReader;
  /** As JSON. */
  readonly #sessionId: string;
  readonly #own = new Map<symbol, Run>();
  #onRead: (() => void) | undefined;

  constructor(open: OpenConversation, socket: ClientSocket, { after, setsPace, isShared }: FollowedSessionOptions) {
    this.open = open;
    this.#socket = socket;
    this.#isShared = isShared;
    this.#sessionId = JSON.stringify(open.conversation.options.id);
    this.#reader = open.conversation.journal.open(after, setsPace);
    void this.#read();
  }

  /** What answers this prompt is this client's. */
  own(run: Run): void {
    this.#own.set(run.key, run);
    if (this.#isShared) return;
    // It is waited for while its own prompt is not over, however it ends: others prompt here too.
    this.setPace(true);
    void run.over.then(() => this.setPace([...this.#own.values()].some(({ isOver }) => !isOver)));
  }

  setPace(setsPace: boolean): void {
    this.#reader.setsPace = setsPace;
    this.open.conversation.journal.done();
  }

  /** Whether its client has been sent the end of every prompt of its own. */
  get hasRead(): boolean {
    return this.#own.size === 0;
  }

  /** Calls once its client has been sent the end of every prompt of its own. */
  leaveWhenRead(done: () => void): void {
    if (this.hasRead) done();
    else this.#onRead = done;
  }

  close(): void {
    this.open.conversation.journal.close(this.#reader);
  }

  async #read(): Promise<void> {
    const { journal, options } = this.open.conversation;
    while (await journal.news(this.#reader)) {
      const { entries, missed } = journal.take(this.#reader, batch);
      if (missed > 0 && this.#isShared)
        this.#socket.send(JSON.stringify({ type: 'gap', sessionId: options.id, seq: (entries[0]?.seq ?? journal.head + 1) - 1 }));
      // The end of its own answer may be among what is gone: it is not left waiting for that.
      if (missed > 0 && !this.#isShared && [...this.#own.values()].some(({ isOver }) => isOver)) this.#socket.close(1008, 'Too far behind');
      for (const entry of entries) this.#send(entry);
      await this.#socket.room();
      journal.done();
    }
  }

  #send({ seq, frame: { text, run, isEnd } }: JournalEntry<JournalFrame>): void {
    const isOwn = run !== null && this.#own.has(run);
    if (this.#isShared) this.#socket.send(`${text.slice(0, -1)},"sessionId":${this.#sessionId},"seq":${seq}}`);
    else if (isOwn) this.#socket.send(text);
    if (!isOwn || !isEnd) return;
    this.#own.delete(run);
    if (this.#own.size === 0) this.#onRead?.();
  }
}
