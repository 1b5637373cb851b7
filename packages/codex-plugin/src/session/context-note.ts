import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Message } from 'agent-relay-protocol';
import { z } from 'zod';
import { stateFolder } from './state-folder.ts';

/** A number may come again in another relay: the time tells them apart. */
type Mail = Pick<Message, 'id' | 'createdAt'>;

const NoteSchema = z.array(z.tuple([z.int(), z.int()]));

/**
 * Context (`fyi`) that an agent's conversation is being given, on disk until the relay knows what became of it: it is part of no turn, so that the
 * conversation cannot be asked for it once nobody has heard the answer.
 */
export class ContextNote {
  readonly #path: string;
  readonly #givenAt: Map<number, number>;

  constructor(env: Readonly<Record<string, string | undefined>>, agentId: string) {
    const name = createHash('sha256').update(agentId).digest('hex').slice(0, 32);
    this.#path = join(stateFolder(env), 'codex-context', `${name}.json`);
    this.#givenAt = new Map(readNote(this.#path));
  }

  has({ id, createdAt }: Mail): boolean {
    return this.#givenAt.get(id) === createdAt;
  }

  /** It is about to be given. */
  add({ id, createdAt }: Mail): void {
    this.#givenAt.set(id, createdAt);
    this.#write();
  }

  /** What became of it is known, or it was not given after all. */
  settled(messageId: number): void {
    if (this.#givenAt.delete(messageId)) this.#write();
  }

  /** Where nothing can be written mail is given all the same: a killed session's may be read twice. */
  #write(): void {
    try {
      if (this.#givenAt.size === 0) {
        rmSync(this.#path, { force: true });
        return;
      }
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(`${this.#path}.new`, JSON.stringify([...this.#givenAt]), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch {
      // said above
    }
  }
}

function readNote(path: string): z.infer<typeof NoteSchema> {
  try {
    return NoteSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? [];
  } catch {
    return []; // nothing was on its way
  }
}
