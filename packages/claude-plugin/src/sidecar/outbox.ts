import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RelayError, SendMessageSchema } from 'agent-relay-protocol';
import { parseJson } from 'agent-relay-wire';
import { z } from 'zod';

const EntrySchema = z.discriminatedUnion('type', [
  /** What the session said while the relay may have been away. */
  z.object({ type: z.literal('send'), message: SendMessageSchema }),
  /** A message that the model has read. */
  z.object({ type: z.literal('seen'), messageId: z.int().min(1) }),
  /** One of which nobody knows whether it has. */
  z.object({ type: z.literal('lost'), messageId: z.int().min(1), reason: z.string() }),
]);
export type OutboxEntry = z.infer<typeof EntrySchema>;

export interface KeptEntry {
  readonly name: string;
  readonly entry: OutboxEntry;
}

export interface OutboxOptions {
  readonly folder: string;
  readonly now: () => number;
  /** The disk takes nothing more, and what comes is kept in memory. Told once, until it takes something again. */
  readonly onFault: (error: unknown) => void;
  /** What an earlier process kept is none of ours, or cannot be read. It is left where it lies: somebody may want to look. */
  readonly onUnreadable: (path: string) => void;
}

/** Of what the session said. What it was shown is no more than the relay handed it. */
const MOST_SENDS = 1_000;

/** What the relay is still to be told, a file for each, so that it outlives this process and the session: as far as the disk takes it. */
export class Outbox {
  readonly #options: OutboxOptions;
  #entries: KeptEntry[];
  #count = 0;
  #hasFault = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    const { folder, onUnreadable } = options;
    this.#entries = namesIn(folder).flatMap((name) => {
      const entry = readEntry(join(folder, name));
      if (entry === null) onUnreadable(join(folder, name));
      return entry === null ? [] : [{ name, entry }];
    });
  }

  /** Oldest first. */
  get entries(): readonly KeptEntry[] {
    return this.#entries;
  }

  /**
   * Keeps it, and answers whether it is on the disk: what is not ends with this process.
   * @throws RelayError `rate_limited` when as much waits as may be said.
   */
  add(entry: OutboxEntry): boolean {
    if (entry.type === 'send' && this.#entries.filter((kept) => kept.entry.type === 'send').length >= MOST_SENDS) {
      throw new RelayError('rate_limited', `${MOST_SENDS} messages wait for the relay already`, { details: { retryAfterMs: 60_000 } });
    }
    this.#count += 1;
    const name = `${String(this.#options.now()).padStart(15, '0')}-${String(this.#count).padStart(6, '0')}-${randomUUID()}.json`;
    this.#entries.push({ name, entry });
    return this.#write(name, entry);
  }

  remove({ name }: KeptEntry): void {
    this.#entries = this.#entries.filter((kept) => kept.name !== name);
    try {
      rmSync(join(this.#options.folder, name), { force: true });
    } catch {
      // It lies where nothing can be changed: the next process says it again, under the same key.
    }
  }

  #write(name: string, entry: OutboxEntry): boolean {
    const { folder, onFault } = this.#options;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      writeWhole(join(folder, name), JSON.stringify(entry));
      this.#hasFault = false;
      return true;
    } catch (error) {
      if (!this.#hasFault) onFault(error);
      this.#hasFault = true;
      return false;
    }
  }
}

/** On the disk, or not there at all. */
function writeWhole(path: string, text: string): void {
  const half = `${path}.half`;
  try {
    const file = openSync(half, 'wx', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(half, path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

/** Oldest first. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch {
    return [];
  }
}

function readEntry(path: string): OutboxEntry | null {
  try {
    return EntrySchema.safeParse(parseJson(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}
