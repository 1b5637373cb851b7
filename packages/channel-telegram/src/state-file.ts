import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Log } from './logger.ts';

const PostSchema = z.object({ chatId: z.number(), messageId: z.number() });
export type Post = z.infer<typeof PostSchema>;

const ApprovalPostsSchema = z.object({ agentId: z.string(), approvalId: z.string(), text: z.string(), posts: z.array(PostSchema) });
export type ApprovalPosts = z.infer<typeof ApprovalPostsSchema>;

const StateSchema = z.object({
  sending: z.record(z.string(), z.array(z.string())).default({}),
  approvals: z.record(z.string(), ApprovalPostsSchema).default({}),
});

/** Nothing reaches these while all is well; a relay that was put back to an older day may leave some behind. */
const MAX_SENDING = 1000;
const MAX_APPROVALS = 1000;

/**
 * What must outlive this process: Telegram has no idempotency, so the parts of a message that went out are written down as they go, and
 * where approvals were posted. Written whole, to a new file that takes the old one's place.
 */
export class StateFile {
  readonly #path: string;
  readonly #log: Log;
  readonly #sending: Map<string, readonly string[]>;
  readonly #approvals: Map<string, ApprovalPosts>;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const { sending, approvals } = read(path, log);
    this.#sending = new Map(Object.entries(sending));
    this.#approvals = new Map(Object.entries(approvals));
  }

  /** What Telegram called the parts of this message that were sent, in order. */
  sentParts(messageId: number): readonly string[] {
    return this.#sending.get(`${messageId}`) ?? [];
  }

  partSent(messageId: number, externalId: string): void {
    this.#sending.set(`${messageId}`, [...this.sentParts(messageId), externalId]);
    keepNewest(this.#sending, MAX_SENDING);
    this.#write();
  }

  /** The relay knows how this message ended. */
  forgetParts(messageId: number): void {
    if (this.#sending.delete(`${messageId}`)) this.#write();
  }

  get approvals(): ReadonlyMap<string, ApprovalPosts> {
    return this.#approvals;
  }

  setApproval(key: string, posts: ApprovalPosts): void {
    this.#approvals.set(key, posts);
    keepNewest(this.#approvals, MAX_APPROVALS);
    this.#write();
  }

  forgetApproval(key: string): void {
    if (this.#approvals.delete(key)) this.#write();
  }

  #write(): void {
    try {
      replaceFile(
        this.#path,
        JSON.stringify({ sending: Object.fromEntries(this.#sending), approvals: Object.fromEntries(this.#approvals) }),
      );
    } catch (error) {
      // To stop here would send again, at each start, what has just been sent.
      this.#log.error('the state cannot be written: after a crash a message may appear twice', { path: this.#path, error });
    }
  }
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, text);
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

function keepNewest(entries: Map<string, unknown>, limit: number): void {
  for (const oldest of entries.keys()) {
    if (entries.size <= limit) return;
    entries.delete(oldest);
  }
}
