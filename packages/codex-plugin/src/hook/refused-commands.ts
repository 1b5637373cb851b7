import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sessionFolder } from '../session/session-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** How a sandbox says no, by the words of what ran into it. */
const denials = /operation not permitted|permission denied|read-only file system|sandbox|landlock|seccomp/iu;
const ids = /^[\w-]{1,128}$/u;
const shownCommands = 5;
const shownLength = 200;

/**
 * Commands of the running turn that Codex refused before they ran, or whose sandbox did at once: of these it tells its clients nothing (0.171). A
 * file each, for hooks run side by side.
 */
export class RefusedCommands {
  readonly #folder: string | null;

  constructor(env: Environment, threadId: string) {
    const folder = sessionFolder(env, threadId);
    this.#folder = folder === null ? null : join(folder, 'commands');
  }

  begun(id: string, command: string): void {
    if (this.#folder === null || !ids.test(id)) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#folder, id), command, { mode: 0o600 });
  }

  ended(id: string, response: unknown): void {
    if (this.#folder === null || !ids.test(id)) return;
    const said = typeof response === 'string' ? response : JSON.stringify(response ?? '');
    if (!denials.test(said)) rmSync(join(this.#folder, id), { force: true });
  }

  /** Those of the turn that is over, oldest first; they are forgotten. */
  take(): readonly string[] {
    if (this.#folder === null) return [];
    try {
      const folder = this.#folder;
      const paths = readdirSync(folder).map((name) => join(folder, name));
      const begun = paths.map((path) => ({ at: statSync(path).mtimeMs, command: readFileSync(path, 'utf8') }));
      return begun.toSorted((one, other) => one.at - other.at).map(({ command }) => command);
    } catch {
      return []; // none was begun
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}

/** One sentence for the person at the terminal. */
export function refusalsText(commands: readonly string[]): string | null {
  if (commands.length === 0) return null;
  const shown = commands.slice(0, shownCommands).map((command) => `\n  ${[...command].slice(0, shownLength).join('')}`);
  const more = commands.length > shownCommands ? `\n  and ${commands.length - shownCommands} more` : '';
  return `Refused by Codex or its sandbox in this turn:${shown.join('')}${more}`;
}
