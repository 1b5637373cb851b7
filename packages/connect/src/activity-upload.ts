import type { ActivityBuffer } from 'agent-relay-host';
import { RelayError } from 'agent-relay-protocol';
import { isRetryable, type Log, Pump } from 'agent-relay-wire';
import type { LinkHolder } from './link-holder.ts';

const MAX_ENTRIES = 500;
/** Below the relay's limit for one frame, with room for what UTF-8 adds. */
const MAX_LENGTH = 300 * 1024;

/** Brings one session's activity to the relay, a batch at a time. Sending a batch twice is harmless: the relay knows it by its sequences. */
export class ActivityUpload {
  readonly buffer: ActivityBuffer;
  readonly #links: LinkHolder;
  readonly #log: Log;
  readonly #pump: Pump;
  #isRefused = false;

  constructor(buffer: ActivityBuffer, links: LinkHolder, log: Log) {
    this.buffer = buffer;
    this.#links = links;
    this.#log = log;
    this.#pump = new Pump(
      () => this.#run(),
      (error) => log.error('the upload of activity broke', { error }),
    );
  }

  /** Whether nothing is left that the relay would still take. */
  get isDone(): boolean {
    return this.buffer.isEmpty || this.#isRefused;
  }

  /** The relay said up to where it has this session. */
  resumeFrom(ackedSeq: number): void {
    this.#isRefused = false;
    this.buffer.acknowledge(ackedSeq);
  }

  /** Sends what waits; resolves when nothing does, or the link is lost. */
  flush(): Promise<void> {
    this.#pump.wake();
    return this.#pump.settled();
  }

  async #run(): Promise<void> {
    const { sessionId } = this.buffer.owner;
    for (let link = this.#links.current; link !== null && !this.isDone; link = this.#links.current) {
      try {
        const entries = [...this.buffer.next(MAX_ENTRIES, MAX_LENGTH)];
        const { ackedSeq } = await link.callNode('activity/append', { sessionId, entries });
        this.buffer.acknowledge(ackedSeq);
        if (ackedSeq < (entries[0]?.seq ?? 1)) throw new RelayError('internal', 'The relay took none of the entries');
      } catch (error) {
        if (isRetryable(error)) break;
        // The relay does not know the session any more, or will never take these: asking again would not help.
        this.#isRefused = true;
        this.#log.error('the relay refused activity', { sessionId, error });
      }
    }
  }
}
