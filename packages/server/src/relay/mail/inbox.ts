import type { InboxItem, Message, RelayError } from 'agent-relay-protocol';
import type { Bell } from 'agent-relay-wire';

/** One piece of waiting mail in a deliverer's reach. */
export interface Piece {
  readonly message: Message;
  readonly characters: number;
  /** The receipt already says dispatched: an earlier deliverer had it. Its time to live has stopped. */
  wasDispatched: boolean;
  holder: 'nobody' | 'stream' | 'poll';
  /** Its holder has it for good: only an acknowledgement or the end of the holder's lease takes it back. */
  isHandedOver: boolean;
  /** When the stream was last offered it. */
  offeredAt: number;
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
  /** Rings for mail, and for its end, an abort included. */
  readonly bell: Bell;
}

/** A poll that waits for the first piece. */
export interface PollWaiter {
  readonly limit: number;
  readonly resolve: (pieces: readonly Piece[]) => void;
  readonly reject: (error: RelayError) => void;
}

/** More waiting mail than this is left in the store until there is room, unless whoever fetches takes more at once. */
const HIGH_WATER = 512;
/** And more text than this, or than all inboxes together may keep. */
const HIGH_WATER_CHARACTERS = 1024 * 1024;
const HIGH_WATER_CHARACTERS_OF_ALL = 128 * 1024 * 1024;
/** A poll that has this much text is answered, however many pieces it asked for. */
const MAX_POLL_CHARACTERS = 256 * 1024;

/** How much text the inboxes that somebody fetches from have in memory. */
export class HeldMail {
  characters = 0;

  get hasRoom(): boolean {
    return this.characters < HIGH_WATER_CHARACTERS_OF_ALL;
  }
}

/**
 * One agent's waiting mail while somebody fetches it: which pieces there are, and who has which. Memory only; the store has the truth.
 *
 * A piece is in one of these states; it leaves them all when it is settled (acknowledged, reported, deleted, expired):
 *
 * - *with nobody*: fetched from the store or just sent. Left when the stream's window has room, or a poll asks.
 * - *offered* to the stream of a node, which asks before it hands over; the agent's own poll may still take it. Left when the node asks (*handed
 *   over*). A node that has not asked beside an idle agent is offered it again (`offerAgain`): it forgot the piece, or never had it.
 * - *handed over*: to a node that asked, to any other stream as it is offered, or to a poll. Beside an idle agent a node is offered this again as
 *   well; it then repeats what it knows of the piece.
 *
 * *Offered* and *handed over* go back to *with nobody* when their holder's lease ends, *handed over* also when the tool's answer that carried the
 * piece was lost (`ToolMail`). So a piece is never with two deliverers at once, and none
 * waits for good beside somebody who could take it. The near half is `DeliveryQueue` in the host.
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
  /** How much the poll in hand asks for. */
  pollLimit = 0;
  /** Until when pieces taken by a poll are its own; Infinity for the agent's own token, whose lease is its epoch. */
  pollLeaseUntil = 0;
  persistedFloor = 0;
  readonly #pieces = new Map<number, Piece>();
  readonly #held: HeldMail;
  #ready: Piece[] = [];
  #characters = 0;

  constructor(workspace: string, agentId: string, now: number, held: HeldMail) {
    this.workspace = workspace;
    this.agentId = agentId;
    this.lastUsedAt = now;
    this.#held = held;
  }

  get size(): number {
    return this.#pieces.size;
  }

  /** An empty one always has. */
  get hasRoom(): boolean {
    if (this.#pieces.size >= Math.max(HIGH_WATER, this.stream?.window ?? 0, this.pollLimit)) return false;
    return this.#pieces.size === 0 || (this.#held.hasRoom && this.#characters < HIGH_WATER_CHARACTERS);
  }

  get(messageId: number): Piece | undefined {
    return this.#pieces.get(messageId);
  }

  /** Adds a piece; ids come in order. */
  add(message: Message, wasDispatched: boolean): void {
    const characters = charactersOf(message);
    const piece: Piece = { message, characters, wasDispatched, holder: 'nobody', isHandedOver: false, offeredAt: 0 };
    this.#pieces.set(message.id, piece);
    this.#count(characters);
    this.#ready.push(piece);
  }

  /** The copy waits no more. */
  settle(messageId: number): void {
    const piece = this.#pieces.get(messageId);
    if (!piece) return;
    this.#pieces.delete(messageId);
    this.#count(-piece.characters);
    if (piece.holder === 'stream' && this.stream) this.stream.outstanding -= 1;
  }

  /** Nobody fetches from it any more. */
  drop(): void {
    this.isDropped = true;
    this.#count(-this.#characters);
  }

  #count(characters: number): void {
    this.#characters += characters;
    this.#held.characters += characters;
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
      piece.offeredAt = now;
      stream.outstanding += 1;
      offered.push(piece);
    }
    if (passed > 0) this.#ready.splice(0, passed);
    return offered;
  }

  /** What a node was offered before `before` and is not known to have gone on: at most `limit`, oldest first. */
  offerAgain(before: number, now: number, limit: number): readonly Piece[] {
    const found: Piece[] = [];
    if (!this.stream?.reportsHandOver) return found;
    for (const piece of this.#pieces.values()) {
      if (found.length >= limit) break;
      if (piece.holder !== 'stream' || piece.offeredAt >= before || !this.#isWaiting(piece, now)) continue;
      piece.offeredAt = now;
      found.push(piece);
    }
    return found;
  }

  /** What a poll gets: all that the stream has not handed over, its own unacknowledged pieces again. */
  takeForPoll(limit: number, now: number): readonly Piece[] {
    const taken: Piece[] = [];
    let characters = 0;
    for (const piece of this.#pieces.values()) {
      if (taken.length >= limit || characters > MAX_POLL_CHARACTERS) break;
      if ((piece.holder === 'stream' && piece.isHandedOver) || !this.#isWaiting(piece, now)) continue;
      this.#giveToPoll(piece);
      taken.push(piece);
      characters += piece.characters;
    }
    return taken;
  }

  /** One piece for the agent itself, out of its turn; null when it waits no more, or the stream has handed it over already. */
  takeOne(messageId: number, now: number): Piece | null {
    const piece = this.#pieces.get(messageId);
    if (!piece || (piece.holder === 'stream' && piece.isHandedOver) || !this.#isWaiting(piece, now)) return null;
    this.#giveToPoll(piece);
    return piece;
  }

  /** The lease of these holders has ended: what they had is offered again. */
  release(...holders: readonly Piece['holder'][]): void {
    this.#release(({ holder }) => holders.includes(holder));
  }

  /** The poll has lost these, and nothing else: they are offered again. */
  giveBack(messageIds: ReadonlySet<number>): void {
    this.#release(({ holder, message }) => holder === 'poll' && messageIds.has(message.id));
  }

  #release(isReleased: (piece: Piece) => boolean): void {
    for (const piece of this.#pieces.values()) {
      if (!isReleased(piece)) continue;
      piece.holder = 'nobody';
      // Written down by now, or soon.
      piece.wasDispatched ||= piece.isHandedOver;
      piece.isHandedOver = false;
    }
    this.#ready = [...this.#pieces.values()].filter((piece) => piece.holder === 'nobody');
  }

  /** The lowest id of fan-out mail that waits here, or what has been looked through. */
  get fanOutFloor(): number {
    for (const { message } of this.#pieces.values()) if (!message.to.startsWith('id:')) return message.id - 1;
    return this.loadedThrough;
  }

  #giveToPoll(piece: Piece): void {
    if (piece.holder === 'stream' && this.stream) this.stream.outstanding -= 1;
    piece.holder = 'poll';
    piece.isHandedOver = true;
  }

  #isWaiting({ message, wasDispatched, isHandedOver }: Piece, now: number): boolean {
    return wasDispatched || isHandedOver || message.expiresAt === null || message.expiresAt > now;
  }
}

export const charactersOf = ({ body, payload }: Pick<Message, 'body' | 'payload'>): number =>
  body.length + (payload === null ? 0 : JSON.stringify(payload).length);
