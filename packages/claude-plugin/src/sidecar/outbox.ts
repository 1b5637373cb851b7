import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RelayError, SendMessageSchema } from 'agent-relay-protocol';
import { parseJson } from 'agent-relay-wire';
import { z } from 'zod';

const EntrySchema = z.discriminatedUnion('type', [
  /** What the session said while the relay may have been away. */
  z.object({ type: z.literal('send'), message: SendMessageSchema }),
  /** A message that the model was shown. */
  z.object({ type: z.literal('seen'), messageId: z.int().min(1) }),
]);
export type OutboxEntry = z.infer<typeof EntrySchema>;

export interface KeptEntry {
  readonly name: string;
  readonly entry: OutboxEntry;
}

const MOST_ENTRIES = 1_000;

/**
 * What the relay is still to be told, a file for each, so that it outlives this process and the session. Nothing is answered for before it is on
 * the disk.
 */
export class Outbox {
  readonly #folder: string;
  #entries: KeptEntry[];
  readonly #now: () => number;
  #count = 0;

  constructor(folder: string, now: () => number) {
    this.#now = now;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    this.#entries = names.sort().flatMap((name) => readEntry(folder, name));
  }

  /** Oldest first. */
  get entries(): readonly KeptEntry[] {
    return this.#entries;
  }

  /** @throws RelayError `rate_limited` when as much waits as may. */
  add(entry: OutboxEntry): void {
    if (this.#entries.length >= MOST_ENTRIES) {
      throw new RelayError('rate_limited', `${MOST_ENTRIES} messages wait for the relay already`, { details: { retryAfterMs: 60_000 } });
    }
    this.#count += 1;
    const name = `${String(this.#now()).padStart(15, '0')}-${String(this.#count).padStart(6, '0')}-${randomUUID()}.json`;
    const path = join(this.#folder, name);
    const half = `${path}.half`;
    const file = openSync(half, 'wx', 0o600);
    try {
      writeSync(file, JSON.stringify(entry));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(half, path);
    this.#entries.push({ name, entry });
  }

  remove({ name }: KeptEntry): void {
    rmSync(join(this.#folder, name), { force: true });
    this.#entries = this.#entries.filter((kept) => kept.name !== name);
  }
}

/** What cannot be read is left where it is: somebody may want to look. */
function readEntry(folder: string, name: string): KeptEntry[] {
  try {
    const parsed = EntrySchema.safeParse(parseJson(readFileSync(join(folder, name), 'utf8')));
    return parsed.success ? [{ name, entry: parsed.data }] : [];
  } catch {
    return [];
  }
}
