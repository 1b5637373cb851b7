import { asText } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { moveCopy } from '../../domain/delivery-changes.ts';
import type { Logger } from '../../logger.ts';
import type { Store } from '../../store/store.ts';
import type { Inbox, Piece } from './inbox.ts';

export interface HandOversDeps {
  readonly store: Pick<Store, 'deliveries'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly delayMs: number;
}

/**
 * The receipts of what has been handed over, written a little later and together. A confirmation that comes first says more and saves the
 * write; until then a receipt says less than is true, never more.
 */
export class HandOvers {
  readonly #deps: HandOversDeps;
  readonly #unwritten = new Map<Inbox, Set<number>>();
  #cancelWriting: (() => void) | null = null;

  constructor(deps: HandOversDeps) {
    this.#deps = deps;
  }

  has(inbox: Inbox): boolean {
    return this.#unwritten.has(inbox);
  }

  note(inbox: Inbox, piece: Piece): void {
    if (piece.wasDispatched) return;
    let ids = this.#unwritten.get(inbox);
    if (!ids) {
      ids = new Set();
      this.#unwritten.set(inbox, ids);
    }
    ids.add(piece.message.id);
    this.#cancelWriting ??= this.#deps.clock.schedule(() => {
      this.flush().catch((error: unknown) =>
        this.#deps.log.warn('receipts of handed over mail could not be written', { error: asText(error) }),
      );
    }, this.#deps.delayMs);
  }

  supersede(inbox: Inbox, ids: readonly number[]): void {
    const unwritten = this.#unwritten.get(inbox);
    if (unwritten) for (const id of ids) unwritten.delete(id);
  }

  async flush(): Promise<void> {
    this.#cancelWriting?.();
    this.#cancelWriting = null;
    const unwritten = [...this.#unwritten];
    this.#unwritten.clear();
    await Promise.all(unwritten.map(([inbox, ids]) => this.#write(inbox, [...ids])));
  }

  async #write({ workspace, agentId }: Inbox, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const at = this.#deps.clock.now();
    await this.#deps.store.deliveries.change(workspace, agentId, ids, ({ found }) => moveCopy(found, { state: 'dispatched' }, at));
  }
}
