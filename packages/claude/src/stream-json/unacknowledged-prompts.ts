import { RecentMap } from 'agent-relay-wire';
import type { ClaudeFrame } from './frames.ts';
import type { UserInputFrame } from './outgoing.ts';

// A CLI without --replay-user-messages acknowledges nothing.
const promptsKept = 256;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Prompts from when they are given until the CLI repeats them, or says that it has them: as long each goes out on every link. */
export class UnacknowledgedPrompts {
  readonly #frames = new RecentMap<string, UserInputFrame>(promptsKept);
  /** Those that went out on no link yet, with who waits for it. */
  readonly #unsaid = new Map<string, Waiting>();

  /** In the order in which they were given. */
  get frames(): readonly (readonly [uuid: string, frame: UserInputFrame])[] {
    return [...this.#frames];
  }

  /** Resolves when it goes out on a link; rejects with what `end` is given. */
  keep(uuid: string, frame: UserInputFrame): Promise<void> {
    this.#frames.set(uuid, frame);
    const said = new Promise<void>((resolve, reject) => this.#unsaid.set(uuid, { resolve, reject }));
    said.catch(() => {});
    return said;
  }

  /** It goes out: whether it arrives is not known before it is heard of. */
  said(uuid: string): void {
    this.#unsaid.get(uuid)?.resolve();
    this.#unsaid.delete(uuid);
  }

  wasSaid(uuid: string): boolean {
    return !this.#unsaid.has(uuid);
  }

  /** An echo names a prompt by `uuid`, a lifecycle frame by `command_uuid`. */
  heard(frame: ClaudeFrame): void {
    if (this.#frames.size === 0) return;
    if (frame.type === 'user' && frame.uuid !== undefined) this.#frames.delete(frame.uuid);
    const command = frame['command_uuid'];
    if (typeof command === 'string') this.#frames.delete(command);
  }

  /** No other link comes. */
  end(error: unknown): void {
    for (const { reject } of this.#unsaid.values()) reject(error);
    this.#unsaid.clear();
    this.#frames.clear();
  }
}
