import { chmodSync, closeSync, fsyncSync, openSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { engine } from '../engine.ts';
import { isFileError } from '../owner-token.ts';

const endings = ['', ...engine.companions];

/**
 * Lets `work` fill an empty private file beside `target`, which it may then put there; whatever happens, nothing is left of it. What a process
 * that was killed left behind is removed first.
 * @throws RelayError `store_full` or `store_unavailable` when it cannot be made.
 */
export async function withHalfFile<Result>(target: string, work: (half: string) => Promise<Result>): Promise<Result> {
  const half = `${target}.${process.pid}.part`;
  try {
    removeAbandoned(target);
    // Made by us first, so that the rights are never wider.
    createPrivate(half);
    return await work(half);
  } finally {
    for (const ending of endings) rmSync(`${half}${ending}`, { force: true });
  }
}

export function flush(path: string): void {
  const descriptor = openSync(path, 'r+');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What a file that could not be written means to a person; a fault of ours stays what it is. */
export function writeFailure(error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const isFull = ['ENOSPC', 'EDQUOT', 'EFBIG'].some((code) => isFileError(error, code));
  const text = isFull ? 'The disk is full: nothing was changed' : `The file cannot be written: ${error.message}`;
  return new RelayError(isFull ? 'store_full' : 'store_unavailable', text, { cause: error });
}

function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
    chmodSync(path, 0o600);
  } catch (error) {
    throw writeFailure(error);
  }
}

function removeAbandoned(target: string): void {
  for (const name of namesIn(dirname(target))) {
    if (!name.startsWith(`${basename(target)}.`)) continue;
    const [, pid, ending = ''] = /^\.(\d+)\.part(.*)$/u.exec(name.slice(basename(target).length)) ?? [];
    if (pid === undefined || !endings.includes(ending) || isAlive(Number(pid))) continue;
    rmSync(join(dirname(target), name), { force: true });
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // What cannot be looked at is told when the file is made.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isFileError(error, 'ESRCH');
  }
}
