import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spelledOut } from 'agent-relay-wire';
import { stateFolder } from '../session/state-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_STATE_HOME/agent-relay/codex-relay.log`. */
export function logPath(env: Environment): string {
  return join(stateFolder(env), 'codex-relay.log');
}

const MAX_LOG_BYTES = 1 << 20;

/** What a launcher has to say: on the terminal while that is its own, else in a file. One that cannot be written is done without. */
export class SessionLog {
  readonly #path: string;
  readonly #clock: { now(): number };
  readonly #print: (line: string) => void;
  #ownsTerminal = true;

  constructor(options: { readonly path: string; readonly clock: { now(): number }; readonly print: (line: string) => void }) {
    this.#path = options.path;
    this.#clock = options.clock;
    this.#print = options.print;
  }

  readonly tell = (sentence: string): void => {
    const line = spelledOut(sentence);
    if (this.#ownsTerminal) this.#print(line);
    else this.#write(line);
  };

  /** The terminal is Codex's from now on. */
  lendTerminal(): void {
    this.#ownsTerminal = false;
  }

  takeTerminalBack(): void {
    this.#ownsTerminal = true;
  }

  #write(line: string): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      if ((statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(this.#path, `${this.#path}.1`);
      appendFileSync(this.#path, `${new Date(this.#clock.now()).toISOString()} ${line}\n`, { mode: 0o600 });
    } catch {
      // Nobody is to lose a session over its log.
    }
  }
}
