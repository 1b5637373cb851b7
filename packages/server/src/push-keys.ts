import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { messageOf, RelayError } from 'agent-relay-protocol';
import { isFileError } from './owner-token.ts';
import { type PushKeys, pointOf } from './relay/push/push-encryption.ts';

/**
 * The keys that pushes are signed with, made when they are first asked for: a file of mode 0600. Browsers are subscribed to this key: with another they
 * have to subscribe again.
 * @throws RelayError `store_unavailable` when the file holds no such key, or can be neither read nor made.
 */
export function ensurePushKeys(path: string): PushKeys {
  const privateKey = keyAt(path);
  return { privateKey, publicKey: pointOf(privateKey) };
}

function keyAt(path: string): KeyObject {
  try {
    return existsSync(path) ? readKey(path) : makeKey(path);
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    throw new RelayError('store_unavailable', `The key for pushes can be neither read nor made: ${messageOf(cause)}`, { cause });
  }
}

function makeKey(path: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  try {
    writeFileSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
    return privateKey;
  } catch (error) {
    if (isFileError(error, 'EEXIST')) return readKey(path);
    throw error;
  }
}

function readKey(path: string): KeyObject {
  const found = statSync(path);
  if (!found.isFile()) throw new RelayError('store_unavailable', `${path} is no file, where the key for pushes is to be: remove it`);
  // A copy or a careless umask may have opened it to others.
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o600);
  try {
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch (cause) {
    throw new RelayError('store_unavailable', `${path} holds no key for pushes: remove it, and browsers subscribe anew`, { cause });
  }
  throw new RelayError('store_unavailable', `${path} holds no key on P-256: remove it, and browsers subscribe anew`);
}
