import { constants } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { AgentIdSchema, isLongerThan, MAX_BODY_LENGTH, parseAddress, providerOver, RelayError } from 'agent-relay-protocol';
import { openBelow } from 'agent-relay-provider';
import { isWithin } from 'agent-relay-wire/node';

/** What a file of the outbox asks for. */
export type OutboxRequest =
  | { readonly type: 'message'; readonly target: string; readonly body: string }
  | { readonly type: 'spawn'; readonly name: string; readonly provider: string; readonly task: string | null };

export const OUTBOX_FOLDER = '.agent-relay/outbox';
const MAX_FILE_BYTES = 64 * 1024;

/**
 * Reads one regular file of at most 64 KiB that really lies inside the outbox of an agent's folder: a link that leads out is refused, and so
 * is an outbox that is itself a link out of the folder.
 * @throws RelayError `not_found`, `forbidden`, `payload_too_large`, `validation_failed`.
 */
export async function readOutboxFile(cwd: string, name: string): Promise<OutboxRequest> {
  if (name.includes('\0') || isAbsolute(name)) throw new RelayError('forbidden', `${quoted(name)} is not a name inside ${OUTBOX_FOLDER}`);
  const folder = await realpathOr(join(cwd, OUTBOX_FOLDER), `There is no folder ${OUTBOX_FOLDER} in your working folder`);
  const root = await realpath(cwd);
  if (!isWithin(folder, root)) throw new RelayError('forbidden', `${OUTBOX_FOLDER} leads out of your working folder`);
  const path = await realpathOr(join(folder, name), `There is no file ${quoted(name)} in ${OUTBOX_FOLDER}`);
  if (path === folder || !isWithin(path, folder)) throw new RelayError('forbidden', `${quoted(name)} leads out of ${OUTBOX_FOLDER}`);
  return parseOutboxFile(await readRegularFile(root, relative(root, path), name));
}

/** Headers, a blank line, the body. What follows ` #` in a header is a comment. Unknown headers are left alone, so that files written for other relays still work. */
export function parseOutboxFile(text: string): OutboxRequest {
  const lines = text.replace(/^\uFEFF/u, '').split(/\r?\n/u);
  const headers = new Map<string, string>();
  let index = 0;
  for (; index < lines.length && (lines[index] ?? '').trim() !== ''; index += 1) {
    const header = /^([A-Za-z][A-Za-z-]*):[ \t]*(.*)$/u.exec(lines[index] ?? '');
    if (!header)
      throw new RelayError('validation_failed', `Line ${index + 1} is not a header like TO: Worker; put a blank line before the body`);
    headers.set((header[1] ?? '').toUpperCase(), withoutComment(header[2] ?? ''));
  }
  const body = lines
    .slice(index + 1)
    .join('\n')
    .trim();
  const kind = (headers.get('KIND') ?? 'message').toLowerCase();
  if (kind === 'spawn') return spawnRequest(headers, body);
  if (kind !== 'message') throw new RelayError('validation_failed', `KIND: ${kind.slice(0, 50)} is not known; it is message or spawn`);
  const target = headers.get('TO') ?? '';
  if (parseAddress(target) === null) throw new RelayError('validation_failed', 'TO: needs the address of an agent, group or channel');
  if (body === '') throw new RelayError('validation_failed', 'The file has no body after its headers');
  if (isLongerThan(body, MAX_BODY_LENGTH))
    throw new RelayError('payload_too_large', `The body is longer than ${MAX_BODY_LENGTH} characters`);
  return { type: 'message', target, body };
}

function spawnRequest(headers: ReadonlyMap<string, string>, task: string): OutboxRequest {
  const name = headers.get('NAME') ?? '';
  if (!AgentIdSchema.safeParse(name).success) throw new RelayError('validation_failed', 'KIND: spawn needs NAME: with the new agent’s id');
  const cli = (headers.get('CLI') ?? '').toLowerCase();
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/u.test(cli)) throw new RelayError('validation_failed', 'KIND: spawn needs CLI: claude or codex');
  const provider = providerOver(cli, headers.get('TRANSPORT'));
  return { type: 'spawn', name, provider, task: task === '' ? null : task };
}

/** A channel (`#general`) is no comment: it has no space before it, and none after its `#`. */
const withoutComment = (value: string): string => value.trim().replace(/^#(?:[ \t].*)?$|[ \t]+#.*$/u, '');

async function readRegularFile(root: string, inside: string, name: string): Promise<string> {
  const file = await openBelow(root, inside, constants.O_RDONLY).catch((cause: unknown) => {
    throw new RelayError('forbidden', `${quoted(name)} could not be opened`, { cause });
  });
  try {
    const opened = await file.stat();
    if (!opened.isFile()) throw new RelayError('forbidden', `${quoted(name)} is not a regular file`);
    if (opened.size > MAX_FILE_BYTES) throw new RelayError('payload_too_large', `${quoted(name)} is larger than 64 KiB`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES + 1), 0, MAX_FILE_BYTES + 1, 0);
    if (bytesRead > MAX_FILE_BYTES) throw new RelayError('payload_too_large', `${quoted(name)} is larger than 64 KiB`);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

async function realpathOr(path: string, message: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    throw new RelayError('not_found', message, { cause });
  }
}

const quoted = (name: string): string => JSON.stringify(name.slice(0, 200));
