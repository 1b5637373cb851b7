import type { LinkPace } from '../json-rpc-peer.ts';
import type { MessageDuplex } from '../message-duplex.ts';

/**
 * Lets a link's frames be handled for so long in one turn of the event loop, and not at all while what it is owed waits above its
 * high-water mark; the rest waits in the duplex, and then in the other side's own buffers.
 */
export class TurnPace implements LinkPace {
  readonly #duplex: Pick<MessageDuplex, 'hold' | 'release'>;
  readonly #budgetMs: number;
  #turn: NodeJS.Immediate | undefined;
  #startedAt = 0;
  #isSpent = false;
  #unsent = 0;

  constructor(duplex: Pick<MessageDuplex, 'hold' | 'release'>, budgetMs: number) {
    this.#duplex = duplex;
    this.#budgetMs = budgetMs;
  }

  /** Before each frame: the one in hand is still handled when the turn is spent. */
  received(): void {
    if (!this.#turn) {
      this.#startedAt = performance.now();
      this.#turn = setImmediate(this.#onTurn);
    } else if (!this.#isSpent && performance.now() - this.#startedAt >= this.#budgetMs) {
      this.#isSpent = true;
      this.#duplex.hold?.();
    }
  }

  sending(sent: Promise<void>): void {
    this.#unsent += 1;
    this.#duplex.hold?.();
    const taken = () => {
      this.#unsent -= 1;
      this.#goOn();
    };
    sent.then(taken, taken);
  }

  readonly #onTurn = (): void => {
    this.#turn = undefined;
    this.#isSpent = false;
    this.#goOn();
  };

  #goOn(): void {
    if (this.#unsent === 0 && !this.#isSpent) this.#duplex.release?.();
  }
}
