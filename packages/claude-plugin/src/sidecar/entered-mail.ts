import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { lookInTranscript, markOf, strongestOf, type Trace } from './transcript.ts';

const EnteredSchema = z.object({
  messageId: z.int().min(1),
  /** How its envelope ends in what the model was given; null where only its number is known. */
  nonce: z.string().nullable(),
  /** Of the Claude Code that took it. */
  claudePid: z.int(),
  conversation: z.string(),
  transcript: z.string().nullable(),
  /** The answer of a tool carried it: another tool of the same turn may begin before the model reads it. */
  byTool: z.boolean(),
  /** False while it has only been pushed: Claude Code may keep it for the end of a turn. */
  isTaken: z.boolean(),
});
type Entered = z.infer<typeof EnteredSchema>;
type Noted = Pick<Entered, 'messageId' | 'nonce'>;
type Fate = 'read' | 'lost' | 'taken' | 'pushed' | 'waits';

/** Where something enters, as a hook names it. */
export interface ClaudeConversation {
  readonly conversation: string;
  /** The path of the file that Claude Code keeps it in; null where it was not said. */
  readonly transcript: string | null;
}

export interface EnteredMailOptions {
  /** On disk for the next process. */
  readonly path: string;
  readonly claudePid: number;
  /** The one that the session begins with. */
  readonly conversation: string;
  /** Of a conversation that was not there yet when it was handed over. */
  readonly findTranscript: (conversation: string) => string | null;
  readonly onRead: (messageIds: readonly number[]) => void;
  readonly onLost: (messageIds: readonly number[], reason: string) => void;
  /** The note cannot be written. Told once, until it can. */
  readonly onFault: (error: unknown) => void;
}

/** Why nobody can say more. */
const KILLED = 'Claude Code was ended while it took this in: nobody knows whether its model has read it';
const KEPT_OUT = 'Claude Code took this and did not keep it in its conversation: a hook of its own may have kept it out';
/** How often it is looked for, a second apart, in a conversation that has gone on without it. */
const MOST_LOOKS = 30;

/**
 * Mail that Claude Code was handed. It is *pushed*, then *taken* in to be given to its model, which may not have happened yet: other hooks run, and the
 * request is still to be made. That it was read is shown by what follows from the request: the model uses a tool, or stops. On disk meanwhile, so that after a kill
 * the next process neither hands over again what was taken nor calls it read: it looks into the conversation.
 */
export class EnteredMail {
  readonly #options: EnteredMailOptions;
  readonly #mail = new Map<number, Entered>();
  /** What a turn that has gone on should have in its conversation, and how often it was looked for. */
  readonly #looks = new Map<number, number>();
  #hasFault = false;

  constructor(options: EnteredMailOptions) {
    this.#options = options;
    for (const each of readNote(options.path)) this.#mail.set(each.messageId, each);
  }

  /** What hooks noted that nobody answered: the model was given these, by whichever Claude Code they were pushed to. */
  takenUnheard(mail: readonly { readonly messageId: number; readonly nonce: string }[]): void {
    for (const { messageId, nonce } of mail) {
      const pushed = this.#mail.get(messageId);
      if (pushed?.nonce === nonce) this.#mail.set(messageId, { ...pushed, isTaken: true });
    }
    if (mail.length > 0) this.#write();
  }

  /** The processes that what an earlier one noted was handed to. */
  get claudePids(): readonly number[] {
    return [...new Set([...this.#mail.values()].map(({ claudePid }) => claudePid))];
  }

  /** It was taken in, and may have been read. */
  has(messageId: number): boolean {
    return this.#mail.get(messageId)?.isTaken ?? false;
  }

  /** With which nonce an earlier process pushed it to this very Claude Code, which may still have it; null where none did. */
  pushedAs(messageId: number): string | null {
    const entered = this.#mail.get(messageId);
    return entered && !entered.isTaken ? entered.nonce : null;
  }

  /** Before it is posted. */
  pushed(mail: readonly Noted[], where: ClaudeConversation): void {
    this.#note(mail, where, { isTaken: false, byTool: false });
  }

  add(mail: readonly Noted[], where: ClaudeConversation, { byTool = false } = {}): void {
    this.#note(mail, where, { isTaken: true, byTool });
  }

  /** The session does not take it. */
  refused(messageIds: readonly number[]): void {
    for (const messageId of messageIds) this.#mail.delete(messageId);
    this.#write();
  }

  #note(mail: readonly Noted[], where: ClaudeConversation, how: Pick<Entered, 'isTaken' | 'byTool'>): void {
    if (mail.length === 0) return;
    const { claudePid } = this.#options;
    for (const { messageId, nonce } of mail) {
      const before = this.#mail.get(messageId);
      const known = { nonce: nonce ?? before?.nonce ?? null, transcript: where.transcript ?? before?.transcript ?? null };
      this.#mail.set(messageId, { messageId, claudePid, conversation: where.conversation, ...known, ...how });
    }
    this.#write();
  }

  /** What an earlier process noted: read, still on its way in the conversation that goes on, or nobody knows. What was only pushed to it waits again. */
  async recover(): Promise<void> {
    const { findTranscript } = this.#options;
    const mail = [...this.#mail.values()].map((each) => ({ ...each, transcript: each.transcript ?? findTranscript(each.conversation) }));
    const traces = await tracesOf(mail);
    const fates = mail.map((each, at) => [each, this.#fateOf(each, traces[at] ?? 'unknown')] as const);
    const of = (fate: Fate) => fates.flatMap(([each, found]) => (found === fate ? [each] : []));
    for (const each of of('taken')) this.#mail.set(each.messageId, { ...each, isTaken: true });
    this.#settle(idsOf(of('read')), (ids) => this.#options.onRead(ids));
    this.#settle(idsOf(of('lost')), (ids) => this.#options.onLost(ids, KILLED));
    this.#settle(idsOf(of('waits')), () => {});
  }

  /** The model has begun to use a tool, or has stopped: it had what it was given before. */
  async answered(how: 'tool' | 'stop'): Promise<void> {
    for (const { messageId, byTool, isTaken } of this.#mail.values()) {
      if (isTaken && (how === 'stop' || !byTool)) this.#looks.set(messageId, this.#looks.get(messageId) ?? 0);
    }
    await this.look();
  }

  /** What became of what was pushed, as the conversation says it that it was pushed to, or the one that the session is in now. */
  async tracesOf(messageIds: readonly number[], now: ClaudeConversation): Promise<ReadonlyMap<number, Trace>> {
    const mail = messageIds.flatMap((messageId) => this.#mail.get(messageId) ?? []);
    const moved = mail.filter(({ transcript }) => transcript !== now.transcript).map((each) => ({ ...each, transcript: now.transcript }));
    const looked = [...mail, ...moved];
    const traces = await tracesOf(looked);
    const ofMessage = (messageId: number) => traces.filter((_, at) => looked[at]?.messageId === messageId);
    return new Map(mail.map(({ messageId }) => [messageId, strongestOf(ofMessage(messageId))]));
  }

  /** Its model has answered to these, though no hook said that they were taken in. */
  read(messageIds: readonly number[]): void {
    this.#settle(messageIds, (ids) => this.#options.onRead(ids));
  }

  /** Looks again for what its conversation did not show yet: Claude Code writes it a little later. */
  async look(): Promise<void> {
    const due = [...this.#looks.keys()].flatMap((messageId) => this.#mail.get(messageId) ?? []);
    if (due.length === 0) return;
    const isThere = (await tracesOf(due)).map((trace) => trace !== 'absent' && trace !== 'queued');
    this.#settle(idsOf(due.filter((_, at) => isThere[at])), (ids) => this.#options.onRead(ids));
    const missing = due.filter(({ messageId }, at) => !isThere[at] && this.#mail.has(messageId));
    for (const { messageId } of missing) this.#looks.set(messageId, (this.#looks.get(messageId) ?? 0) + 1);
    const given = missing.filter(({ messageId }) => (this.#looks.get(messageId) ?? 0) > MOST_LOOKS);
    this.#settle(idsOf(given), (ids) => this.#options.onLost(ids, KEPT_OUT));
  }

  #fateOf(entered: Entered, found: Trace): Fate {
    const { claudePid, conversation } = this.#options;
    // Only the process beside it was killed.
    if (entered.claudePid === claudePid) return entered.isTaken ? 'taken' : 'pushed';
    if (found === 'answered') return 'read';
    if (found === 'entered' && entered.conversation === conversation) return 'taken';
    // Its queue has died with the process.
    return entered.isTaken || found === 'entered' || found === 'unknown' ? 'lost' : 'waits';
  }

  /** Told before it is forgotten: a kill between the two tells it twice. */
  #settle(messageIds: readonly number[], tell: (messageIds: readonly number[]) => void): void {
    const known = messageIds.filter((messageId) => this.#mail.has(messageId));
    if (known.length === 0) return;
    tell(known);
    for (const messageId of known) {
      this.#mail.delete(messageId);
      this.#looks.delete(messageId);
    }
    this.#write();
  }

  #write(): void {
    const { path, onFault } = this.#options;
    try {
      if (this.#mail.size === 0) rmSync(path, { force: true });
      else {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
        writeFileSync(`${path}.new`, JSON.stringify([...this.#mail.values()]), { mode: 0o600 });
        renameSync(`${path}.new`, path);
      }
      this.#hasFault = false;
    } catch (error) {
      if (!this.#hasFault) onFault(error);
      this.#hasFault = true;
    }
  }
}

/** A trace for each; each conversation is read once. */
async function tracesOf(mail: readonly Entered[]): Promise<readonly Trace[]> {
  const traces = new Map<Entered, Trace>();
  for (const transcript of new Set(mail.map((each) => each.transcript))) {
    const those = mail.filter((each) => each.transcript === transcript);
    const found = await lookInTranscript(transcript, those.map(markOf));
    for (const [at, each] of those.entries()) traces.set(each, found[at] ?? 'unknown');
  }
  return mail.map((each) => traces.get(each) ?? 'unknown');
}

const idsOf = (mail: readonly Entered[]): number[] => mail.map(({ messageId }) => messageId);

function readNote(path: string): readonly Entered[] {
  try {
    return z.array(EnteredSchema).safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? [];
  } catch {
    return []; // nothing was on its way
  }
}
