import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Log, RecentMap } from 'agent-relay-wire';
import { z } from 'zod';
import { AnswersSchema } from './approvals/approval-answers.ts';

const PostSchema = z.object({ chatId: z.number(), messageId: z.number() });
export type Post = z.infer<typeof PostSchema>;

const ApprovalPostsSchema = z.object({
  agentId: z.string(),
  approvalId: z.string(),
  text: z.string(),
  posts: z.array(PostSchema),
  ...AnswersSchema.shape,
});
export type ApprovalPosts = z.infer<typeof ApprovalPostsSchema>;

const StateSchema = z.object({
  sending: z.record(z.string(), z.array(z.string())).default({}),
  approvals: z.record(z.string(), ApprovalPostsSchema).default({}),
  received: z.record(z.string(), z.string()).default({}),
});

/** Nothing reaches these while all is well; a relay that was put back to an older day may leave some behind. */
const MAX_SENDING = 1000;
const MAX_APPROVALS = 1000;
/** People edit what they have just written. */
const MAX_RECEIVED = 1000;

/**
 * What must outlive this process: Telegram has no idempotency, so the parts of a message that went out are written down as they go,
 * where approvals were posted, and what each message showed when it was passed on. Written whole, to a new file that takes the old one's place.
 */
export class StateFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #sending: RecentMap<string, readonly string[]>;
  readonly #approvals: RecentMap<string, ApprovalPosts>;
  readonly #received: RecentMap<string, string>;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { sending, approvals, received } = read(path, log);
    this.#sending = new RecentMap(MAX_SENDING, Object.entries(sending));
    this.#approvals = new RecentMap(MAX_APPROVALS, Object.entries(approvals));
    this.#received = new RecentMap(MAX_RECEIVED, Object.entries(received));
  }

  /** What Telegram called the parts of this message that were sent, in order. */
  sentParts(messageId: number): readonly string[] {
    return this.#sending.get(`${messageId}`) ?? [];
  }

  partSent(messageId: number, externalId: string): void {
    this.#sending.set(`${messageId}`, [...this.sentParts(messageId), externalId]);
    this.#write();
  }

  /** The relay knows how this message ended. */
  forgetParts(messageId: number): void {
    if (this.#sending.delete(`${messageId}`)) this.#write();
  }

  get approvals(): Pick<RecentMap<string, ApprovalPosts>, 'get' | 'size' | typeof Symbol.iterator> {
    return this.#approvals;
  }

  setApproval(key: string, posts: ApprovalPosts): void {
    this.#approvals.set(key, posts);
    this.#write();
  }

  forgetApproval(key: string): void {
    if (this.#approvals.delete(key)) this.#write();
  }

  /** Whether this message showed just that when it was last passed on; false as well for one that is not remembered. */
  wasReceived(post: Post, shown: string): boolean {
    return this.#received.get(keyOf(post)) === digestOf(shown);
  }

  received(post: Post, shown: string): void {
    this.#received.set(keyOf(post), digestOf(shown));
    this.#write();
  }

  #write(): void {
    const [sending, approvals, received] = [this.#sending, this.#approvals, this.#received].map((entries) => Object.fromEntries(entries));
    try {
      replaceFile(this.#path, JSON.stringify({ sending, approvals, received }));
    } catch (error) {
      // To stop here would send again, at each start, what has just been sent.
      this.#log.error('the state cannot be written: after a crash a message may appear twice', { path: this.#path, error });
    }
  }
}

const keyOf = ({ chatId, messageId }: Post): string => `${chatId}:${messageId}`;
/** Enough to tell two texts of one message apart; the text itself is not kept. */
const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 16);

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function read(path: string, log: Log): z.output<typeof StateSchema> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return StateSchema.parse({});
  }
  try {
    return StateSchema.parse(JSON.parse(text));
  } catch (error) {
    renameSync(path, `${path}.unreadable`);
    log.warn('the state file could not be read and was put aside', { path, error });
    return StateSchema.parse({});
  }
}
