import { watchingLimits } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { type Crowd, crowdOf, type Watching } from '../../domain/crowd.ts';

/** A stream that is told of the others. */
export interface Onlooker extends Watching {
  readonly tell: (crowd: Crowd) => void;
}

/** Who follows which agent, as long as their streams are open. Who comes and goes is told together with who does so soon after. */
export class Crowds {
  readonly #clock: Clock;
  readonly #streams = new Map<string, Set<Onlooker>>();
  readonly #telling = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  join(key: string, onlooker: Onlooker): void {
    const streams = this.#streams.get(key) ?? new Set();
    this.#streams.set(key, streams.add(onlooker));
    this.#tellSoon(key);
  }

  leave(key: string, onlooker: Onlooker): void {
    const streams = this.#streams.get(key);
    if (!streams?.delete(onlooker)) return;
    if (streams.size > 0) {
      this.#tellSoon(key);
      return;
    }
    this.#streams.delete(key);
    this.#telling.get(key)?.();
    this.#telling.delete(key);
  }

  #tellSoon(key: string): void {
    if (this.#telling.has(key)) return;
    const tell = () => {
      this.#telling.delete(key);
      const streams = this.#streams.get(key) ?? new Set();
      const crowd = crowdOf(streams);
      for (const onlooker of streams) onlooker.tell(crowd);
    };
    this.#telling.set(key, this.#clock.schedule(tell, watchingLimits.tellMs));
  }
}
