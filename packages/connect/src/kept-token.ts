import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';

/** Where pairing leaves this machine's token. */
export const keptTokenFile = (stateDir: string): string => join(stateDir, 'token');
/** Which relay that token is of: it goes nowhere else unasked. */
const keptUrlFile = (stateDir: string): string => join(stateDir, 'relay-url');

/** Puts the token of a relay into the state folder, for nobody but this user; each file is there whole or as it was. */
export async function keepToken(stateDir: string, { url, token }: { readonly url: URL; readonly token: string }): Promise<string> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  // First of the two: a token is never beside the address of another relay that would be sent it.
  await rm(keptTokenFile(stateDir), { force: true });
  await replaceFile(keptUrlFile(stateDir), `${url.href}\n`);
  await replaceFile(keptTokenFile(stateDir), `${token}\n`);
  return keptTokenFile(stateDir);
}

/** Of the relay that this machine was paired with; null where it was not. */
export async function keptUrl(stateDir: string): Promise<URL | null> {
  const text = await readFile(keptUrlFile(stateDir), 'utf8').catch(() => '');
  return URL.canParse(text.trim()) ? new URL(text.trim()) : null;
}

/** @throws RelayError `not_found`: no word of the relay, which may be asked again. */
export async function readTokenFile(path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new RelayError('not_found', `The token file ${path} cannot be read: put the token of this machine there`, { cause });
  }
  const token = text.trim();
  if (token === '') throw new RelayError('not_found', `The token file ${path} is empty: put the token of this machine there`);
  return token;
}

async function replaceFile(path: string, text: string): Promise<void> {
  const half = `${path}.${process.pid}.new`;
  await rm(half, { force: true });
  try {
    await writeFile(half, text, { mode: 0o600, flag: 'wx', flush: true });
    await rename(half, path);
  } finally {
    await rm(half, { force: true });
  }
}
