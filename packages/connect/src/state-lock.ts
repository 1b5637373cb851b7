import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { isSameProcess, processIdentity } from 'agent-relay-wire/node';
import { z } from 'zod';

const HolderSchema = z.object({ pid: z.int().min(1), startedAt: z.string() });
type Holder = z.infer<typeof HolderSchema>;

/** That one process alone uses a state folder. */
export interface StateLock {
  release(): void;
}

/**
 * Takes the folder for this process. A lock whose process is gone, or whose pid now belongs to another program, is taken over.
 * @throws RelayError `busy` naming the process that holds it.
 */
export async function lockState(stateDir: string): Promise<StateLock> {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, 'lock.json');
  const own = `${path}.${process.pid}`;
  const identity: Holder = { pid: process.pid, startedAt: (await processIdentity(process.pid))?.startedAt ?? '' };
  writeFileSync(own, JSON.stringify(identity), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (tryLink(own, path)) return { release: () => releaseLock(path, identity) };
      const holder = readHolder(path);
      if (holder !== null && holder.pid !== process.pid && (await isSameProcess(holder)))
        throw new RelayError('busy', `Another relay-connect (process ${holder.pid}) uses the state folder ${stateDir}`);
      takeAway(path, holder);
    }
    throw new RelayError('busy', `The state folder ${stateDir} is being taken by another relay-connect`);
  } finally {
    rmSync(own, { force: true });
  }
}

/** A hard link appears whole or not at all, and only one of two racers gets it. */
function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Two racers may both have seen the stale lock: whoever moved a fresh one away by mistake puts it back. */
function takeAway(path: string, stale: Holder | null): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  if (moved !== null && (stale === null || moved.pid !== stale.pid || moved.startedAt !== stale.startedAt)) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function releaseLock(path: string, own: Holder): void {
  const holder = readHolder(path);
  if (holder?.pid === own.pid && holder.startedAt === own.startedAt) rmSync(path, { force: true });
}

function readHolder(path: string): Holder | null {
  try {
    return HolderSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}
