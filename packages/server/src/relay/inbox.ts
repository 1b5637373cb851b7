import type { InboxItem, Message, RelayError } from 'agent-relay-protocol';

/** One piece of waiting mail in a deliverer's reach. */
export interface Piece {
  readonly message: Message;
  /** The receipt already said dispatched when the piece was fetched: an earlier deliverer had it. */
  readonly wasDispatched: boolean;
  holder: 'nobody' | 'stream' | 'poll';
  /** Its holder has it for good: only an acknowledgement or the end of the holder's lease takes it back. */
  isHandedOver: boolean;
}

/** A subscriber that mail is pushed to. */
export interface StreamHolder {
  readonly epoch: number;
  readonly window: number;
  /** Its deliverer says itself when it hands a piece over; until then the agent's own poll may still take it. */
  readonly reportsHandOver: boolean;
  /** Throws when its right to this mail has gone. */
  readonly mayStill: () => void;
  outstanding: number;
  pending: InboxItem[];
  failure: RelayError | null;
  wake: (() => void) | null;
}

/** Resolves when the stream is woken: by mail, or by its end, an abort included. */
export function streamChanged(stream: StreamHolder): Promise<void> {
  return new Promise((resolve) => {
    stream.wake = () => {
      stream.wake = null;
      resolve();
    };
  });
}

/** A poll that waits for the first piece. */
export interface PollWaiter {
  readonly limit: number;
  readonly resolve: (pieces: readonly Piece[]) => void;
}

/** More waiting mail than this is left in the store until there is room. */
const HIGH_WATER = 512;

/**
 * One agent's waiting mail while somebody fetches it: which pieces there are, and who has which. Memory only; the store has the truth.
 *
 * A piece is with nobody, offered to the stream, or taken by the poll. It leaves when it is settled; it returns to nobody when its holder's
 * lease ends. So it is never with two deliverers at once.
 */
export class Inbox {
  readonly workspace: string;
  readonly agentId: string;
  /** Everything up to here is in `pieces` or does not wait. */
  loadedThrough = 0;
  /** New mail may be added as it arrives; false while the store has more than is here. */
  isCaughtUp = false;
  loading: Promise<void> | null = null;
  isDropped = false;
  stream: StreamHolder | null = null;
  poll: PollWaiter | null = null;
  lastUsedAt: number;
  /** Until when pieces taken by a poll are its own; Infinity for the agent's own token, whose lease is its epoch. */
  pollLeaseUntil = 0;
  persistedFloor = 0;
  readonly #pieces = new Map<number, Piece>();
  #ready: Piece[] = [];

  constructor(workspace: string, agentId: string, now: number) {
    this.workspace = workspace;
    this.agentId = agentId;
    this.lastUsedAt = now;
  }

  get size(): number {
    return this.#pieces.size;
  }

  get hasRoom(): boolean {
    return this.#pieces.size < HIGH_WATER;
  }

  get(messageId: number): Piece | undefined {
    return this.#pieces.get(messageId);
  }

  /** Adds a piece; ids come in order. */
  add(message: Message, wasDispatched: boolean): void {
    const piece: Piece = { message, wasDispatched, holder: 'nobody', isHandedOver: false };
    this.#pieces.set(message.id, piece);
    this.#ready.push(piece);
  }

  /** The copy waits no more. */
  settle(messageId: number): void {
    const piece = this.#pieces.get(messageId);
    if (!piece) return;
    this.#pieces.delete(messageId);
    if (piece.holder === 'stream' && this.stream) this.stream.outstanding -= 1;
  }

  /** What nobody has, for the stream: at most as much as its window has room for. */
  offerToStream(stream: StreamHolder, now: number): readonly Piece[] {
    const offered: Piece[] = [];
    let passed = 0;
    for (const piece of this.#ready) {
      if (stream.outstanding >= stream.window) break;
      passed += 1;
      if (piece.holder !== 'nobody' || this.#pieces.get(piece.message.id) !== piece || !this.#isWaiting(piece, now)) continue;
      piece.holder = 'stream';
      piece.isHandedOver = !stream.reportsHandOver;
      stream.outstanding += 1;
      offered.push(piece);
    }
    if (passed > 0) this.#ready.splice(0, passed);
    return offered;
  }

  /** What a poll gets: all that the stream has not handed over, its own unacknowledged pieces again. */
  takeForPoll(limit: number, now: number): readonly Piece[] {
    const taken: Piece[] = [];
    for (const piece of this.#pieces.values()) {
      if (taken.length >= limit) break;
      if ((piece.holder === 'stream' && piece.isHandedOver) || !this.#isWaiting(piece, now)) continue;
      if (piece.holder === 'stream' && this.stream) this.stream.outstanding -= 1;
      piece.holder = 'poll';
      piece.isHandedOver = true;
      taken.push(piece);
    }
    return taken;
  }

  /** The lease of these holders has ended: what they had is offered again. */
  release(...holders: readonly Piece['holder'][]): void {
    for (const piece of this.#pieces.values()) {
      if (!holders.includes(piece.holder)) continue;
      piece.holder = 'nobody';
      piece.isHandedOver = false;
    }
    this.#ready = [...this.#pieces.values()].filter((piece) => piece.holder === 'nobody');
  }

  /** The lowest id of fan-out mail that waits here, or what has been looked through. */
  get fanOutFloor(): number {
    for (const { message } of this.#pieces.values()) if (!message.to.startsWith('id:')) return message.id - 1;
    return this.loadedThrough;
  }

  #isWaiting({ message, wasDispatched }: Piece, now: number): boolean {
    return wasDispatched || message.expiresAt === null || message.expiresAt > now;
  }
}
