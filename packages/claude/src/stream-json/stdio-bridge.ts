import { RelayError } from 'agent-relay-protocol';
import { Bell, type DuplexClosed, type MessageDuplex, sleep } from 'agent-relay-wire';
import { z } from 'zod';
import { DialPace, type DialPaceOptions } from './dial-pace.ts';
import { FrameLog } from './frame-log.ts';
import type { OutgoingFrame } from './outgoing.ts';
import { checkDialledFrame } from './peer-frames.ts';

export interface StdioBridgeOptions extends DialPaceOptions {
  /** A Claude Code on stdio. */
  readonly cli: MessageDuplex<unknown, OutgoingFrame>;
  /** Whom it dials. */
  readonly url: URL;
  /** Opens one link; `lastUuid` is that of the newest frame that was sent before, `none` where none was, null on the first. Rejects with a `RelayError`. */
  readonly dial: (lastUuid: string | null) => Promise<MessageDuplex<unknown, unknown>>;
  /** What the CLI was started with: a relay that asks for just this is told nothing new. */
  readonly environment: Readonly<Record<string, string>>;
  /** Told of each frame that the other side may not say. */
  readonly onRefused: (error: RelayError) => void;
  /** Aborting ends the bridge. */
  readonly signal: AbortSignal;
}

export type BridgeEnd =
  /** The CLI ended, and all that it said has arrived. */
  | { readonly by: 'cli' }
  /** The other side ended it for good. */
  | { readonly by: 'peer'; readonly closed: DuplexClosed }
  /** The other side turned it away, or the address is none. */
  | { readonly by: 'refusal'; readonly error: RelayError }
  /** Nobody was heard for too long; `why` is what became of the last dial. */
  | { readonly by: 'silence'; readonly why: string }
  | { readonly by: 'signal' };

type Link = MessageDuplex<unknown, unknown>;

const EnvironmentFrame = z.object({ type: z.literal('update_environment_variables'), variables: z.record(z.string(), z.string()) });

/** After any other code a dialling CLI comes again. */
const finalCodes = new Set([1002, 4001, 4003]);
const finalErrors = new Set(['unauthorized', 'forbidden', 'not_found', 'validation_failed']);
/** For how long the last words of a CLI that has ended wait for a link. */
const lastWordsMs = 10_000;

/**
 * Makes a Claude Code on stdio look like one that dials a `--sdk-url`: silent until it is spoken to, dialling again after a drop, and then repeating
 * what had a uuid. Nothing is lost between: what no link took waits, and what the other side has not confirmed is sent again. What the other side says
 * is cut down to what may be said to a CLI.
 */
export function bridgeStdio(options: StdioBridgeOptions): Promise<BridgeEnd> {
  return new Bridge(options).run();
}

class Bridge {
  readonly #options: StdioBridgeOptions;
  readonly #log = new FrameLog();
  /** Rings when there is more to send, when something was sent, and when something was confirmed. */
  readonly #bell = new Bell();
  readonly #pace: DialPace;
  #sent = 0;
  #hasCliEnded = false;
  #hasDialled = false;
  /** The other side has spoken on this link. */
  #isHeard = false;

  constructor(options: StdioBridgeOptions) {
    this.#options = options;
    this.#pace = new DialPace(options);
  }

  async run(): Promise<BridgeEnd> {
    void this.#readCli();
    for (;;) {
      const link = await this.#connect();
      if ('by' in link) return link;
      const end = await this.#serve(link);
      if (end) return end;
    }
  }

  async #readCli(): Promise<void> {
    const { cli, signal } = this.#options;
    try {
      for await (const frame of cli.incoming) {
        this.#log.push(frame);
        this.#bell.ring();
        while (this.#log.isFull && !signal.aborted) await this.#bell.next({ signal });
      }
    } catch {
      // How it ended is told by its process.
    }
    this.#hasCliEnded = true;
    this.#bell.ring();
  }

  async #connect(): Promise<Link | BridgeEnd> {
    const { dial, signal } = this.#options;
    const begun = performance.now();
    for (;;) {
      // A dropped link is not dialled again at once either.
      if (this.#hasDialled) await sleep(this.#pace.nextPauseMs(), { signal });
      if (signal.aborted) return { by: 'signal' };
      if (this.#hasCliEnded && (this.#log.isConfirmed || performance.now() - begun > lastWordsMs)) return { by: 'cli' };
      if (this.#pace.isOver) return { by: 'silence', why: this.#pace.why };
      const isFirst = !this.#hasDialled;
      this.#hasDialled = true;
      try {
        return await dial(isFirst ? null : (this.#log.lastUuid ?? 'none'));
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        if (finalErrors.has(error.code)) return { by: 'refusal', error };
        this.#pace.unheard(error.message);
      }
    }
  }

  /** Null when the link ended and another is wanted. */
  async #serve(link: Link): Promise<BridgeEnd | null> {
    const { signal } = this.#options;
    const over = new AbortController();
    this.#isHeard = false;
    const onAbort = () => over.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const working = Promise.all([this.#send(link, over.signal), this.#confirm(link, over.signal), this.#receive(link)].map(settled));
    const ended = await Promise.race([link.closed, this.#allArrived(over.signal)]);
    over.abort();
    signal.removeEventListener('abort', onAbort);
    await link.close();
    await working;
    if (signal.aborted) return { by: 'signal' };
    if (ended === 'arrived') return { by: 'cli' };
    if (ended.code !== undefined && finalCodes.has(ended.code)) return { by: 'peer', closed: ended };
    if (this.#isHeard) this.#pace.heard();
    else this.#pace.unheard(`the link was closed before a word was said: ${ended.reason || `code ${ended.code ?? 'none'}`}`);
    return null;
  }

  async #send(link: Link, signal: AbortSignal): Promise<void> {
    this.#sent = this.#log.start;
    while (!signal.aborted) {
      const seen = this.#bell.rings;
      if (this.#sent === this.#log.end) {
        await this.#bell.after(seen, { signal });
        continue;
      }
      const text = this.#log.textAt(this.#sent);
      this.#sent += 1;
      if (text !== null) await (link.sendText?.(text) ?? link.send(JSON.parse(text)));
      this.#bell.ring();
    }
  }

  async #confirm(link: Link, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const seen = this.#bell.rings;
      const upTo = this.#sent;
      if (upTo <= this.#log.confirmed) {
        await this.#bell.after(seen, { signal });
        continue;
      }
      await link.confirm?.();
      this.#log.confirm(upTo);
      this.#bell.ring();
    }
  }

  async #receive(link: Link): Promise<void> {
    for await (const frame of link.incoming) {
      this.#isHeard = true;
      try {
        if (!this.#isSetAlready(frame)) await this.#options.cli.send(checkDialledFrame(frame, this.#options.url));
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        this.#refuse(frame, error);
      }
    }
  }

  #isSetAlready(frame: unknown): boolean {
    const asked = EnvironmentFrame.safeParse(frame);
    return asked.success && Object.entries(asked.data.variables).every(([name, value]) => this.#options.environment[name] === value);
  }

  /** Whoever asked something is told; of the rest the owner of the machine is. */
  #refuse(frame: unknown, error: RelayError): void {
    if (error.code !== 'connection_closed') this.#options.onRefused(error);
    if (typeof frame !== 'object' || frame === null || !('type' in frame) || frame.type !== 'control_request') return;
    if (!('request_id' in frame) || typeof frame.request_id !== 'string') return;
    this.#log.push({
      type: 'control_response',
      response: { subtype: 'error', request_id: frame.request_id, error: error.message },
    });
    this.#bell.ring();
  }

  async #allArrived(signal: AbortSignal): Promise<'arrived'> {
    while (!signal.aborted && !(this.#hasCliEnded && this.#log.isConfirmed)) await this.#bell.next({ signal });
    return 'arrived';
  }
}

/** A loop over a link ends with it; what ended the link is told by its `closed`. */
const settled = (work: Promise<void>): Promise<void> => work.catch(() => {});
