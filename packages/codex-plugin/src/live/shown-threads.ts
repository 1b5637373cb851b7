import type { CodexTerminal } from './codex-terminals.ts';

/** A conversation that the daemon has in memory. */
export interface LoadedThread {
  readonly id: string;
  readonly folder: string;
  readonly createdAt: number;
}

/** A terminal's start is known to a second. */
const slackMs = 2_000;

/**
 * Which conversations people have before them. Codex keeps one in memory for half an hour after its terminal is closed and tells nobody, so each is held
 * to be shown as long as the terminal runs that opened it: the one whose command line names it, else the youngest of its folder that had none, else the only
 * one of its folder, which has left another for it. Where several could have, any of them.
 */
export class ShownThreads {
  readonly #shownBy = new Map<string, ReadonlySet<number>>();

  /** The conversations that are shown now. `isNew` tells of one that was begun or worked in since the last time, in that order. */
  update(terminals: readonly CodexTerminal[], loaded: readonly LoadedThread[], isNew: ReadonlySet<string>): ReadonlySet<string> {
    const alive = new Set(terminals.map(({ pid }) => pid));
    const isLoaded = new Set(loaded.map(({ id }) => id));
    for (const [id, pids] of this.#shownBy) {
      const left = new Set([...pids].filter((pid) => alive.has(pid)));
      if (left.size === 0 || !isLoaded.has(id)) this.#shownBy.delete(id);
      else this.#shownBy.set(id, left);
    }
    // The newest first: their ids sort by time.
    const candidates = loaded.filter(({ id }) => !this.#shownBy.has(id)).toSorted((left, right) => (left.id < right.id ? 1 : -1));
    for (const thread of candidates) {
      const pids = this.#terminalsOf(thread, terminals, isNew.has(thread.id));
      if (pids.length > 0) this.#shownBy.set(thread.id, new Set(pids));
    }
    return new Set(this.#shownBy.keys());
  }

  #terminalsOf({ id, folder, createdAt }: LoadedThread, terminals: readonly CodexTerminal[], isNew: boolean): readonly number[] {
    const naming = terminals.find(({ resumes }) => resumes === id);
    if (naming) return [naming.pid];
    const here = terminals.filter((terminal) => terminal.folder === folder && terminal.resumes === null);
    const taken = new Set([...this.#shownBy.values()].flatMap((pids) => [...pids]));
    const mayHaveOpened = ({ startedAt, goesOn }: CodexTerminal) => isNew || goesOn || createdAt >= startedAt - slackMs;
    const free = here
      .filter((terminal) => !taken.has(terminal.pid) && mayHaveOpened(terminal))
      .toSorted((left, right) => right.startedAt - left.startedAt)[0];
    if (free) return [free.pid];
    if (!isNew) return [];
    const [only, ...others] = here;
    if (only && others.length === 0) this.#leave(only.pid);
    return here.map(({ pid }) => pid);
  }

  #leave(pid: number): void {
    for (const [id, pids] of this.#shownBy) if (pids.has(pid)) this.#shownBy.delete(id);
  }
}
