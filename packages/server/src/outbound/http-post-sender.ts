import { lookup as resolveName } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { messageOf } from 'agent-relay-protocol';
import type { PostAnswer, PostRequest, PostSender } from '../relay/outbound/post-request.ts';
import type { AddressGuard } from './address-guard.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface HttpPostSenderOptions {
  readonly guard: AddressGuard;
  /** All of one attempt: resolving, connecting, sending, the answer's head and its body. Default ten seconds. */
  readonly timeoutMs?: number;
  /** Default: the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>;
}

/** What is read of an answer before it is cut off: only its status counts. */
const MAX_ANSWER_BYTES = 64 * 1024;

const systemResolver = (host: string): Promise<readonly ResolvedAddress[]> => resolveName(host, { all: true, verbatim: true });

/**
 * Posts to systems outside. The name is resolved once and the addresses that were looked at are those that are dialled; one forbidden address among
 * them refuses all. Redirects are answers like any other: nobody follows them.
 */
export class HttpPostSender implements PostSender {
  readonly #guard: AddressGuard;
  readonly #timeoutMs: number;
  readonly #resolve: (host: string) => Promise<readonly ResolvedAddress[]>;

  constructor({ guard, timeoutMs = 10_000, resolve = systemResolver }: HttpPostSenderOptions) {
    this.#guard = guard;
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
  }

  async send(request: AnyPost, signal: AbortSignal): Promise<PostAnswer> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    try {
      const url = new URL(request.url);
      const targets = await until(this.#allowedAddresses(url.hostname.replace(/^\[|\]$/gu, '')), limit);
      return { ...(await post(url, request, targets, limit)), error: null };
    } catch (error) {
      return { status: null, error: limit.aborted && !signal.aborted ? `No answer within ${this.#timeoutMs} ms` : textOf(error) };
    }
  }

  async #allowedAddresses(host: string): Promise<Addresses> {
    const family = isIP(host);
    const addresses = family === 0 ? await this.#resolve(host) : [{ address: host, family }];
    const [first, ...others] = addresses;
    if (!first) throw new Error(`${host} has no address`);
    const forbidden = addresses.find(({ address }) => !this.#guard.allows(address, host));
    if (forbidden)
      throw new Error(`${host} is at ${forbidden.address}, which is not public: allow it with AGENT_RELAY_CALLBACK_ALLOW_PRIVATE`);
    return [first, ...others];
  }
}

type AnyPost = PostRequest<string | Uint8Array>;
type Addresses = readonly [ResolvedAddress, ...ResolvedAddress[]];

interface Answered {
  readonly status: number;
  readonly retryAfter?: string;
}

function post(url: URL, { body, headers }: AnyPost, targets: Addresses, signal: AbortSignal): Promise<Answered> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method: 'POST',
      agent: false,
      signal,
      lookup: pinnedTo(targets),
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
    });
    call.on('error', reject);
    // An answer that switches protocols ends the call with neither an error nor a response.
    let isAnswered = false;
    call.on('close', () => isAnswered || reject(new Error('It ended without an answer')));
    call.on('response', (response) => {
      isAnswered = true;
      const { statusCode: status = 0, headers: said } = response;
      const retryAfter = said['retry-after'];
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > MAX_ANSWER_BYTES) response.destroy();
      });
      response.on('error', () => {}); // `close` follows, and the status is known already
      response.on('close', () =>
        signal.aborted
          ? reject(new Error('The answer did not end'))
          : resolve({ status, ...(retryAfter === undefined ? {} : { retryAfter }) }),
      );
    });
    call.end(body);
  });
}

/** A lookup that asks nobody: what has been checked is what is dialled, one address after the other. */
const pinnedTo =
  (targets: Addresses): LookupFunction =>
  (_host, options, done) => {
    if (options.all === true) done(null, [...targets]);
    else done(null, targets[0].address, targets[0].family);
  };

function until<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('Given up'));
    if (signal.aborted) gone();
    signal.addEventListener('abort', gone, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
  });
}

/** Several addresses that all failed are one error without words of its own. */
function textOf(error: unknown): string {
  const text = error instanceof AggregateError ? error.errors.map(textOf).join('; ') : messageOf(error);
  return text.slice(0, 300);
}
