import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InboxItem } from 'agent-relay-protocol';
import { type Log, RecentMap } from 'agent-relay-wire';

/**
 * The prompt that carried a message, and what made that message the one it was: its number may come again in another database. Null where the program
 * that had the prompt is gone.
 */
type Carried = readonly [promptId: string | null, fingerprint: string];
type CarriedById = RecentMap<number, Carried>;

interface Handed {
  readonly carried: CarriedById;
  /** To which program, where that was known. */
  readonly program: string | null;
}

/** What a session knows of the program that it speaks to. */
export interface SpokenTo {
  /** Somebody has spoken to it before. */
  readonly isContinued: boolean;
  /** Its name among all of its kind; null where it has none. */
  readonly program?: string | null | undefined;
}

const fileName = 'prompt-ids.json';
/** For each agent: a program that never confirms must not fill the file. */
const MESSAGES_KEPT = 200;

/**
 * Under which ids programs that outlive this process were handed their mail, as far as they have not confirmed it: on disk before they get it, so that
 * the next process hands it over under the same id, by which a program that has it drops it. Where the program is gone, nobody can know whether it had
 * read it: it is told, and not handed to the next program.
 *
 * The file is replaced whole and not fsynced: it is for a process that was killed, and holds what is on its way.
 */
export class PromptIds {
  readonly #path: string;
  readonly #log: Log;
  readonly #agents: Map<string, Handed>;
  #hasFault = false;

  constructor(stateDir: string, log: Log) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    this.#path = join(stateDir, fileName);
    this.#log = log;
    this.#agents = readAgents(this.#path);
  }

  /** Those of one session. A program that nobody has spoken to before, or that is another than before, has nothing of what the one before was handed. */
  of(agentId: string, { isContinued, program = null }: SpokenTo): AgentPromptIds {
    const before = this.#agents.get(agentId);
    const carried: CarriedById = new RecentMap(MESSAGES_KEPT, before?.carried ?? []);
    const isAnother = program !== null && before?.program != null && program !== before.program;
    const handed = { carried, program: program ?? (isContinued ? (before?.program ?? null) : null) };
    this.#agents.set(agentId, handed);
    const ids = new AgentPromptIds(carried, {
      write: () => this.#write(),
      forget: () => {
        if (this.#agents.get(agentId) === handed) this.#agents.delete(agentId);
      },
    });
    if ((!isContinued || isAnother) && carried.size > 0) ids.programGone();
    return ids;
  }

  #write(): void {
    const agents = [...this.#agents]
      .filter(([, { carried }]) => carried.size > 0)
      .map(([agentId, { carried, program }]) => [agentId, [...carried], program] as const);
    try {
      writeFileSync(`${this.#path}.new`, JSON.stringify(agents), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      this.#hasFault = false;
    } catch (error) {
      if (!this.#hasFault)
        this.#log.warn('what agents are handed cannot be written down: after a crash some of it may come twice', { error });
      this.#hasFault = true;
    }
  }
}

/** The prompts that one session's program has not confirmed. */
export class AgentPromptIds {
  readonly #carried: CarriedById;
  readonly #write: () => void;
  readonly #forget: () => void;

  constructor(carried: CarriedById, { write, forget }: { readonly write: () => void; readonly forget: () => void }) {
    this.#carried = carried;
    this.#write = write;
    this.#forget = forget;
  }

  /** Under which id this very message was handed over. */
  idOf({ message }: InboxItem): string | null {
    const [promptId = null, fingerprint] = this.#carried.get(message.id) ?? [];
    return fingerprint === fingerprintOf(message) ? promptId : null;
  }

  /** Whether this very message was handed to a program that is gone. */
  wasLost({ message }: InboxItem): boolean {
    const [promptId, fingerprint] = this.#carried.get(message.id) ?? [];
    return promptId === null && fingerprint === fingerprintOf(message);
  }

  /**
   * Writes down what is about to be handed over. What else was to go under this id is forgotten: a program that takes the prompt as it is now would drop
   * the rest unread.
   */
  add(promptId: string, items: readonly InboxItem[]): void {
    for (const [messageId, [id]] of this.#carried) if (id === promptId) this.#carried.delete(messageId);
    for (const { message } of items) this.#carried.set(message.id, [promptId, fingerprintOf(message)]);
    this.#write();
  }

  /** The program has it, or the relay knows that nobody can say: in the file it goes with the next that is written. */
  settled(messageId: number): void {
    this.#carried.delete(messageId);
  }

  /** It was not handed over after all. */
  notHandedOver(messageIds: readonly number[]): void {
    for (const id of messageIds) this.#carried.delete(id);
    this.#write();
  }

  /** Answers what it had not confirmed. */
  programGone(): readonly number[] {
    const lost = [...this.#carried];
    for (const [messageId, [, fingerprint]] of lost) this.#carried.set(messageId, [null, fingerprint]);
    if (lost.length === 0) this.#forget();
    this.#write();
    return lost.map(([messageId]) => messageId);
  }
}

const fingerprintOf = ({ id, from, to, body, createdAt }: InboxItem['message']): string =>
  createHash('sha256')
    .update(JSON.stringify([id, from, to, body, createdAt]))
    .digest('base64url');

function readAgents(path: string): Map<string, Handed> {
  try {
    const agents: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!Array.isArray(agents)) return new Map();
    return new Map(agents.filter(isAgent).map(([agentId, carried, program]) => [agentId, handedFrom(carried, program)]));
  } catch {
    // The first start: the file is only ever replaced whole.
    return new Map();
  }
}

const handedFrom = (carried: readonly unknown[], program: unknown): Handed => ({
  carried: new RecentMap(MESSAGES_KEPT, carried.filter(isCarried)),
  program: typeof program === 'string' ? program : null,
});

const isAgent = (value: unknown): value is [string, unknown[], unknown] =>
  Array.isArray(value) && typeof value[0] === 'string' && Array.isArray(value[1]);

function isCarried(value: unknown): value is [number, Carried] {
  if (!Array.isArray(value) || typeof value[0] !== 'number' || !Array.isArray(value[1])) return false;
  const [promptId, fingerprint] = value[1];
  return value[1].length === 2 && (promptId === null || typeof promptId === 'string') && typeof fingerprint === 'string';
}
