import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, normalize } from 'node:path';
import { isSameProcess, killProcessTree, type ProcessIdentity, processIdentity } from 'agent-relay-wire/node';
import { z } from 'zod';
import { stateFolder } from './state-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What the name of a session's own folder begins with, in the system's temporary folder. */
export const SESSION_FOLDER = 'codex-relay-';

const Identity = z.object({ pid: z.int().min(2), startedAt: z.string(), treeId: z.string().optional() });
const NoteSchema = z.object({ owner: Identity, folder: z.string(), processes: z.array(Identity) });
type Note = z.infer<typeof NoteSchema>;

const notesFolder = (env: Environment): string => join(stateFolder(env), 'codex-relay-processes');

/** What a `codex-relay` has started, on disk as long as it runs: what it leaves when it is killed the next one ends. */
export class ProcessNote {
  readonly #path: string;
  #note: Note;

  private constructor(path: string, note: Note) {
    this.#path = path;
    this.#note = note;
  }

  /**
   * `folder` is the session's own, which goes with it. Null where nothing tells this process from a later one of its number, or nothing can be written:
   * nobody is to lose a session over its note.
   */
  static async begin(env: Environment, folder: string): Promise<ProcessNote | null> {
    const owner = await processIdentity(process.pid);
    if (owner === undefined) return null;
    // A program may hold several sessions.
    const path = join(notesFolder(env), `${randomUUID()}.json`);
    const note = new ProcessNote(path, { owner, folder, processes: [] });
    return note.#write() ? note : null;
  }

  add(identity: ProcessIdentity): void {
    this.#note = { ...this.#note, processes: [...this.#note.processes, identity] };
    this.#write();
  }

  /** Everything has ended. */
  end(): void {
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // The next session finds nothing of it that runs.
    }
  }

  #write(): boolean {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      writeFileSync(`${this.#path}.new`, JSON.stringify(this.#note), { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
      return true;
    } catch {
      return false;
    }
  }
}

/** Ends what sessions left behind whose `codex-relay` is gone. */
export async function endLeftBehind(env: Environment): Promise<void> {
  const folder = notesFolder(env);
  const names = readNames(folder).filter((name) => name.endsWith('.json'));
  await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const note = readNote(path);
      if (note && (await isSameProcess(withoutHoles(note.owner)))) return;
      for (const identity of note?.processes ?? []) await killProcessTree(withoutHoles(identity), { graceMs: 1_000 });
      if (note && isSessionFolder(note.folder, env)) await rm(note.folder, { recursive: true, force: true, maxRetries: 5 });
      rmSync(path, { force: true });
    }),
  );
}

/** What a note says may be somebody else's word: nothing but what a session makes for itself is removed. */
function isSessionFolder(folder: string, { TMPDIR }: Environment): boolean {
  const temporary = [tmpdir(), TMPDIR || tmpdir()].map((path) => normalize(path).replace(/(?<=.)\/$/u, ''));
  return temporary.includes(dirname(folder)) && basename(folder).startsWith(SESSION_FOLDER);
}

const withoutHoles = ({ pid, startedAt, treeId }: Note['owner']): ProcessIdentity => ({ pid, startedAt, ...(treeId && { treeId }) });

function readNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // no session was ever begun here
  }
}

function readNote(path: string): Note | undefined {
  try {
    return NoteSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined; // another one has taken it away, or it is none
  }
}
