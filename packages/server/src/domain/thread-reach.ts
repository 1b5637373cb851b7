/** Who takes part in a thread, each with the number at which it came in. Grows, and is the same object while it does. */
type Participants = ReadonlyMap<string, number>;

/** What is asked again when who there is has changed. */
interface Directory {
  readonly version: number;
}

interface Walked {
  readonly size: number;
  readonly isOpen: boolean;
}

/** The threads in which one reader reads as somebody. Each is walked once and not for each of its messages. */
export class ThreadReach {
  readonly #directory: Directory;
  readonly #readsAs: (agentId: string, seq: number) => boolean;
  #walked = new WeakMap<Participants, Walked>();
  #version: number | null = null;

  constructor(directory: Directory, readsAs: (agentId: string, seq: number) => boolean) {
    this.#directory = directory;
    this.#readsAs = readsAs;
  }

  has(participants: Participants): boolean {
    const { version } = this.#directory;
    if (this.#version !== version) this.#walked = new WeakMap();
    this.#version = version;
    const known = this.#walked.get(participants);
    if (known?.size === participants.size) return known.isOpen;
    const isOpen = this.#walk(participants);
    this.#walked.set(participants, { size: participants.size, isOpen });
    return isOpen;
  }

  #walk(participants: Participants): boolean {
    for (const [agentId, cameAt] of participants) if (this.#readsAs(agentId, cameAt)) return true;
    return false;
  }
}
