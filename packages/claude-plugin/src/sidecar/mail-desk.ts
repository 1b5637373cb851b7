import { randomUUID } from 'node:crypto';
import type { InboxItem } from 'agent-relay-protocol';
import { formatEnvelope, RecentSet } from 'agent-relay-wire';
import type { Correspondents } from './correspondents.ts';
import type { ClaudeConversation, EnteredMail } from './entered-mail.ts';
import type { InboxFrame } from './inbox-frames.ts';
import { PushedCopies } from './pushed-copies.ts';
import type { Trace } from './transcript.ts';

export interface MailDeskOptions {
  /** Puts messages into the session; null where Claude Code has no inbox: then it is woken (`nextWords`). */
  readonly inbox: { post(frames: readonly InboxFrame[]): Promise<void> } | null;
  readonly correspondents: Pick<Correspondents, 'socketFor'>;
  readonly now: () => number;
  /** What the session has taken in and its model may not have read yet. */
  readonly entered: Pick<EnteredMail, 'has' | 'add' | 'look' | 'pushed' | 'pushedAs' | 'refused' | 'tracesOf' | 'read'>;
  /** In which the session is. */
  readonly conversation: () => ClaudeConversation;
  /** The model has read these, and is offered them again. */
  readonly onSeen: (messageIds: readonly number[]) => void;
  /** The session does not take them, for a reason that stays. */
  readonly onRefused: (messageIds: readonly number[], reason: string) => void;
}

interface Held {
  readonly item: InboxItem;
  /** `doubtful`: it was pushed, and the session may not have it; `kept`: its user is asked whether it may come in. */
  state: 'waiting' | 'pushed' | 'doubtful' | 'kept';
  /** The last frame that carried it. */
  frameId: string | null;
  pushedAt: number;
}

/** How long a session that does nothing may leave a message before its conversation is looked into, in ms: one that is slow to start, or whose hooks are, has it all the same. */
const RETRY_MS = 20_000;
const REMEMBERED = 4_096;

/**
 * Mail on its way into the session. A piece is *waiting*, then *pushed*, and leaves as *entered* when a hook shows that the session takes it in (its nonce
 * is in what the model is to be given), or when the session refuses it. What was pushed and dropped, or is not taken by a session at rest, is pushed again
 * where the conversation shows nothing of it; should two copies come in all the same, the second is kept from the model.
 */
export class MailDesk {
  readonly #options: MailDeskOptions;
  readonly #held = new Map<number, Held>();
  readonly #shown = new RecentSet<number>(REMEMBERED);
  readonly #lost = new RecentSet<number>(REMEMBERED);
  readonly #copies = new PushedCopies(REMEMBERED);
  #isLooking = false;
  #waiter: ((words: string | null) => void) | null = null;
  #isBusy = false;
  #holds = 0;

  constructor(options: MailDeskOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  set isBusy(isBusy: boolean) {
    // What was pushed during a turn enters the session at the end of it: its time begins there.
    if (this.#isBusy && !isBusy) for (const held of this.#held.values()) held.pushedAt = this.#options.now();
    this.#isBusy = isBusy;
  }

  /** Read before, in an earlier life of this process perhaps. */
  remember(messageId: number): void {
    this.#shown.add(messageId);
  }

  /** Nobody knows whether it was read, and its sender is told so: it is not given again. */
  lose(messageId: number): void {
    this.#lost.add(messageId);
  }

  /** Takes mail from the relay. Answers whether any of it is new here. What was shown already is confirmed again. */
  add(items: readonly InboxItem[]): boolean {
    const again = items.filter(({ message }) => this.#shown.has(message.id)).map(({ message }) => message.id);
    if (again.length > 0) this.#options.onSeen(again);
    const fresh = items.filter(({ message }) => !this.#isKnown(message.id));
    for (const item of fresh) this.#held.set(item.message.id, this.#heldFrom(item));
    if (fresh.length > 0) this.push();
    return fresh.length > 0 || again.length > 0;
  }

  /** Nothing is pushed while a tool waits that may hand out the same messages. Answers how to go on. */
  hold(): () => void {
    this.#holds += 1;
    return () => {
      this.#holds -= 1;
      this.push();
    };
  }

  /** Gives the session what waits for it, by whatever way it has. */
  push(): void {
    if (this.#holds > 0) return;
    const due = this.#due();
    if (due.length === 0) return;
    if (this.#options.inbox) void this.#post(due);
    else if (this.#waiter) this.#wake(due);
  }

  /** What an earlier process had pushed may wait in Claude Code for the end of a turn: it is pushed again once a turn has ended without it. */
  #heldFrom(item: InboxItem): Held {
    const before = this.#options.entered.pushedAs(item.message.id);
    if (before === null) return { item, state: 'waiting', frameId: null, pushedAt: 0 };
    this.#isBusy = true;
    this.#copies.pushed(before);
    return { item: { ...item, nonce: before }, state: 'pushed', frameId: null, pushedAt: this.#options.now() };
  }

  #isKnown(id: number): boolean {
    return this.#shown.has(id) || this.#lost.has(id) || this.#held.has(id) || this.#options.entered.has(id);
  }

  /** Looks at what was pushed and is not taken in, and at what was and is not known to be read. */
  async retry(): Promise<void> {
    await Promise.all([this.#options.entered.look(), this.#lookForPushed()]);
    this.push();
  }

  /** Claude Code may have it in its queue for as long as it likes, or have taken it in without a hook that said so. */
  async #lookForPushed(): Promise<void> {
    const { entered, conversation, now } = this.#options;
    const before = now() - RETRY_MS;
    const isDue = ({ state, pushedAt }: Held) => state === 'doubtful' || (state === 'pushed' && !this.#isBusy && pushedAt < before);
    const due = [...this.#held.values()].filter(isDue);
    if (due.length === 0 || this.#isLooking) return;
    this.#isLooking = true;
    try {
      const traces = await entered.tracesOf(due.map(idOf), conversation());
      // A hook may have told more meanwhile.
      for (const held of due) if (this.#held.get(idOf(held)) === held && isDue(held)) this.#follow(held, traces.get(idOf(held)));
    } finally {
      this.#isLooking = false;
    }
  }

  #follow(held: Held, trace: Trace | undefined): void {
    switch (trace) {
      case 'answered':
        this.#held.delete(idOf(held));
        this.#options.entered.read([idOf(held)]);
        break;
      case 'entered':
        this.#enter([held], this.#options.conversation());
        break;
      case 'queued':
      case 'unknown':
        held.state = 'pushed';
        held.pushedAt = this.#options.now();
        break;
      case 'absent':
      case 'unwritten':
      case undefined:
        held.state = 'waiting';
    }
  }

  /** What became of a frame, as the session's inbox says it. */
  statusOf(frameId: string | undefined, status: string, reason: string | undefined): void {
    const meant = [...this.#held.values()].filter((held) => held.frameId !== null && (frameId === undefined || held.frameId === frameId));
    if (status === 'dropped' || status === 'expired') {
      // An earlier frame with the same may be there.
      for (const held of meant) held.state = 'doubtful';
    } else if (status === 'held') {
      for (const held of meant) held.state = 'kept';
    } else if (status === 'refused' || status === 'denied') {
      const ids = meant.map(idOf);
      for (const id of ids) this.#held.delete(id);
      this.#options.entered.refused(ids);
      if (ids.length > 0) this.#options.onRefused(ids, reason ?? `The session's user has messages of other sessions ${status}`);
    }
  }

  /** Which messages are in what the session takes in now. A copy of what it has taken in before is to be kept from its model, with all that came in with it. */
  takeIn(text: string, where: ClaudeConversation): { readonly taken: readonly number[]; readonly isCopy: boolean } {
    const here = [...this.#held.values()].filter(({ item }) => text.includes(`${item.nonce}]`));
    const nonces = new Set(here.map(({ item }) => item.nonce));
    const isCopy = this.#copies.cameIn(text).some((nonce) => !nonces.has(nonce));
    if (isCopy) for (const held of here) held.state = 'waiting';
    else this.#enter(here, where);
    return { taken: isCopy ? [] : here.map(idOf), isCopy };
  }

  /** The answer of a tool gives these to the model. */
  inTool(messageIds: readonly number[], where: ClaudeConversation): void {
    for (const id of messageIds) this.#held.delete(id);
    const mail = messageIds.filter((id) => !this.#shown.has(id)).map((messageId) => ({ messageId, nonce: null }));
    this.#options.entered.add(mail, where, { byTool: true });
  }

  /** What is meant as context alone, for the prompt that comes now. */
  takeContext(where: ClaudeConversation): string | null {
    const context = [...this.#held.values()].filter(({ item }) => item.message.mode === 'fyi');
    if (context.length === 0) return null;
    this.#enter(context, where);
    return context.map(({ item }) => formatEnvelope(item)).join('\n\n');
  }

  #enter(taken: readonly Held[], where: ClaudeConversation): void {
    for (const { item } of taken) this.#held.delete(item.message.id);
    this.#options.entered.add(
      taken.map(({ item }) => ({ messageId: item.message.id, nonce: item.nonce })),
      where,
    );
  }

  /** What to wake the session with; null where it has an inbox, when a later caller took this one's place or when the signal aborted. */
  nextWords(signal: AbortSignal): Promise<string | null> {
    if (this.#options.inbox) return Promise.resolve(null);
    this.#waiter?.(null);
    return new Promise((resolve) => {
      const finish = (words: string | null) => {
        if (this.#waiter === finish) this.#waiter = null;
        signal.removeEventListener('abort', giveUp);
        resolve(words);
      };
      const giveUp = () => finish(null);
      if (signal.aborted) return giveUp();
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiter = finish;
      this.push();
    });
  }

  #due(): readonly Held[] {
    return [...this.#held.values()].filter(({ item, state }) => state === 'waiting' && item.message.mode !== 'fyi');
  }

  #wake(due: readonly Held[]): void {
    for (const held of due) this.#pushed(held, null);
    this.#notePushed(due);
    this.#waiter?.(due.map(({ item }) => formatEnvelope(item)).join('\n\n'));
  }

  /** One frame for each sender, so that what the model answers to it goes to that sender. */
  async #post(due: readonly Held[]): Promise<void> {
    const bySender = new Map<string, Held[]>();
    for (const held of due) bySender.set(held.item.message.from, [...(bySender.get(held.item.message.from) ?? []), held]);
    const batches = [...bySender].map(([from, batch]) => ({ from, batch, id: randomUUID() }));
    for (const { batch, id } of batches) for (const held of batch) this.#pushed(held, id);
    this.#notePushed(due);
    try {
      const frames: InboxFrame[] = [];
      for (const { from, batch, id } of batches) {
        const replySocket = await this.#options.correspondents.socketFor(from, batch.at(-1)?.item.message.id ?? 0);
        frames.push({ id, replySocket, fromName: from, text: batch.map(({ item }) => formatEnvelope(item)).join('\n\n') });
      }
      await this.#options.inbox?.post(frames);
    } catch {
      // The session has not had them: the next look pushes them again.
      for (const held of due) {
        this.#copies.gone(held.item.nonce);
        held.state = 'waiting';
      }
    }
  }

  #notePushed(due: readonly Held[]): void {
    const { entered, conversation } = this.#options;
    entered.pushed(
      due.map(({ item }) => ({ messageId: item.message.id, nonce: item.nonce })),
      conversation(),
    );
  }

  #pushed(held: Held, frameId: string | null): void {
    this.#copies.pushed(held.item.nonce);
    held.state = 'pushed';
    held.frameId = frameId;
    held.pushedAt = this.#options.now();
  }
}

const idOf = ({ item }: Held): number => item.message.id;
