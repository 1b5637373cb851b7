import { createCipheriv, createECDH, createHash, createPublicKey, ECDH, hkdfSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** The relay's own keys, by which a push service knows who sends (VAPID). */
export interface PushKeys {
  /** As browsers take it: the uncompressed point, 65 bytes as base64url. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** Whom a push is encrypted for, as its browser said. */
export interface PushReceiver {
  /** Base64url, like `auth`. */
  readonly p256dh: string;
  readonly auth: string;
}

const CURVE = 'prime256v1';
const POINT_BYTES = 65;
const RECORD_BYTES = 4096;
/** Behind the last byte of the only record. */
const LAST_RECORD = Buffer.from([2]);

/** Made anew for each push. */
export interface PushEphemeral {
  readonly salt: Buffer;
  readonly privateKey: Buffer | null;
}

const fresh = (): PushEphemeral => ({ salt: randomBytes(16), privateKey: null });

/** Whether it is a point of the curve: no other can be encrypted for. */
export function isPublicKey(p256dh: string): boolean {
  try {
    ECDH.convertKey(p256dh, CURVE, 'base64url', 'base64url', 'uncompressed');
    return Buffer.from(p256dh, 'base64url').length === POINT_BYTES;
  } catch {
    return false;
  }
}

/** The body of a push that its receiver alone can read: one record of `aes128gcm` (RFC 8291, RFC 8188). `text` has at most 3 KB. */
export function encryptPush(text: string, { p256dh, auth }: PushReceiver, { salt, privateKey }: PushEphemeral = fresh()): Buffer {
  const sender = createECDH(CURVE);
  if (privateKey === null) sender.generateKeys();
  else sender.setPrivateKey(privateKey);
  const [ours, theirs] = [sender.getPublicKey(), Buffer.from(p256dh, 'base64url')];
  const shared = sender.computeSecret(theirs);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), theirs, ours]);
  const secret = derive(shared, Buffer.from(auth, 'base64url'), info, 32);
  const cipher = createCipheriv(
    'aes-128-gcm',
    derive(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16),
    derive(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12),
  );
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.update(LAST_RECORD), cipher.final(), cipher.getAuthTag()]);
  const head = Buffer.alloc(21);
  salt.copy(head);
  head.writeUInt32BE(RECORD_BYTES, 16);
  head.writeUInt8(ours.length, 20);
  return Buffer.concat([head, ours, sealed]);
}

const derive = (key: Buffer, salt: Buffer, info: Buffer, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, salt, info, length));

/** Push services write there when a sender troubles them. A relay has no address of its own: this one is nobody's. */
const CONTACT = 'mailto:agent-relay@example.com';
const TOKEN_SECONDS = 12 * 3_600;

/** The `Authorization` of a push to this origin (RFC 8292), good for twelve hours; `now` in Unix milliseconds. */
export function authorizePush(origin: string, { publicKey, privateKey }: PushKeys, now: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { aud: origin, exp: Math.floor(now / 1000) + TOKEN_SECONDS, sub: CONTACT };
  const said = `${part({ typ: 'JWT', alg: 'ES256' })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(said), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${said}.${signature.toString('base64url')}, k=${publicKey}`;
}

/** Of pushes that wait at a service with the same topic only the last is kept: 32 characters that tell nothing of the tag. */
export const topicOf = (tag: string): string => createHash('sha256').update(tag).digest('base64url').slice(0, 32);

/** The public key as browsers take it. */
export function pointOf(privateKey: KeyObject): string {
  const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]).toString('base64url');
}
