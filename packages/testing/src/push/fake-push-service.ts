import { createDecipheriv, createECDH, createPublicKey, type ECDH, hkdfSync, type JsonWebKey, randomBytes, verify } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What `PushManager.subscribe()` answers a page, as JSON. */
export interface BrowserSubscription {
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

/** A push that came, with what its browser reads in it. */
export interface TakenPush {
  readonly endpoint: string;
  readonly text: string;
  readonly ttlSeconds: number;
  readonly topic: string | undefined;
  readonly urgency: string | undefined;
  /** What the sender's token says of itself. */
  readonly claims: { readonly aud: string; readonly exp: number; readonly sub: string };
  /** The key that it is signed with, as browsers are given it. */
  readonly publicKey: string;
}

/** The push service of a browser: takes what is signed and encrypted for one of its subscriptions, and answers 201; anything else is refused and kept. */
export class FakePushService implements AsyncDisposable {
  readonly taken: TakenPush[] = [];
  /** Why requests were no pushes. */
  readonly faults: string[] = [];
  /** How many came, whatever they were answered. */
  requests = 0;
  /** What it answers a push instead of 201. */
  answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | null = null;
  readonly #browsers = new Map<string, { readonly keys: ECDH; readonly auth: Buffer }>();
  readonly #server = createServer((request, response) => void this.#take(request, response));

  static async start(): Promise<FakePushService> {
    const service = new FakePushService();
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // it listens on TCP
  }

  /** A browser that subscribes. */
  subscribe(): BrowserSubscription {
    const keys = createECDH('prime256v1');
    const p256dh = keys.generateKeys('base64url');
    const auth = randomBytes(16);
    const endpoint = `${this.origin}/push/${randomBytes(8).toString('hex')}`;
    this.#browsers.set(endpoint, { keys, auth });
    return { endpoint, keys: { p256dh, auth: auth.toString('base64url') } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    this.requests += 1;
    if (this.answer !== null) {
      response.writeHead(this.answer.status, this.answer.headers ?? {}).end();
      return;
    }
    try {
      this.taken.push(this.#read(request, Buffer.concat(parts)));
      response.writeHead(201).end();
    } catch (error) {
      this.faults.push(String(error));
      response.writeHead(400).end();
    }
  }

  #read({ url = '', headers }: IncomingMessage, body: Buffer): TakenPush {
    const endpoint = this.origin + url;
    const browser = this.#browsers.get(endpoint);
    if (!browser) throw new Error(`nobody is subscribed at ${endpoint}`);
    if (headers['content-encoding'] !== 'aes128gcm') throw new Error('it is not aes128gcm');
    const { claims, publicKey } = readVapid(headers.authorization ?? '');
    const text = decrypt(body, browser.keys, browser.auth);
    const { topic, urgency } = headers;
    return {
      ...{ endpoint, text, claims, publicKey, ttlSeconds: Number(headers['ttl']) },
      topic: topic === undefined ? undefined : String(topic),
      urgency: urgency === undefined ? undefined : String(urgency),
    };
  }
}

function readVapid(authorization: string): Pick<TakenPush, 'claims' | 'publicKey'> {
  const [, head = '', said = '', signature = '', publicKey = ''] =
    /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), k=([\w-]+)$/u.exec(authorization) ?? [];
  const point = Buffer.from(publicKey, 'base64url');
  if (point.length !== 65) throw new Error(`no VAPID: ${authorization}`);
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y } as JsonWebKey, format: 'jwk' });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${said}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!isSigned) throw new Error('the token is not signed by its key');
  if (JSON.parse(Buffer.from(head, 'base64url').toString()).alg !== 'ES256') throw new Error('the token is not ES256');
  return { claims: JSON.parse(Buffer.from(said, 'base64url').toString()), publicKey };
}

/** What a browser does with the body of a push: RFC 8291, one record. */
function decrypt(body: Buffer, keys: ECDH, auth: Buffer): string {
  const [salt, idLength] = [body.subarray(0, 16), body.readUInt8(20)];
  const sender = body.subarray(21, 21 + idLength);
  const sealed = body.subarray(21 + idLength);
  if (body.length > 4096 || sealed.length > body.readUInt32BE(16)) throw new Error('it is longer than a push may be');
  const derive = (key: Buffer, from: Buffer, info: Buffer | string, length: number) =>
    Buffer.from(hkdfSync('sha256', key, from, Buffer.from(info), length));
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), keys.getPublicKey(), sender]);
  const secret = derive(keys.computeSecret(sender), auth, info, 32);
  const decipher = createDecipheriv(
    'aes-128-gcm',
    derive(secret, salt, 'Content-Encoding: aes128gcm\0', 16),
    derive(secret, salt, 'Content-Encoding: nonce\0', 12),
  );
  decipher.setAuthTag(sealed.subarray(-16));
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  const end = padded.lastIndexOf(2);
  if (end < 0 || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new Error('it is no last record');
  return padded.subarray(0, end).toString();
}
