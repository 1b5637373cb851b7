import { realpath, stat } from 'node:fs/promises';
import { RelayError } from 'agent-relay-protocol';
import type { PinnedFolder } from './pinned-folders.ts';

/** What the owner lets every session read, as it was when this machine began: an agent that writes beside it leads its name nowhere else. */
export interface AllowedPlace {
  readonly path: string;
  /** Where its name leads. */
  readonly place: string;
  /** Of a folder; a file may be written anew under its name. */
  readonly identity: string | null;
}

async function lookAt(path: string): Promise<AllowedPlace> {
  const place = await realpath(path);
  const found = await stat(place, { bigint: true });
  return { path, place, identity: found.isDirectory() ? `${found.dev}:${found.ino}` : null };
}

/** Null for what is not there. */
export async function allowedPlaces(paths: readonly string[]): Promise<ReadonlyMap<string, AllowedPlace | null>> {
  const found = await Promise.all(paths.map((path) => lookAt(path).catch(() => null)));
  return new Map(paths.map((path, index) => [path, found[index] ?? null]));
}

/** @throws RelayError `unsupported` for one that was not there, or is another now. */
export async function assertSamePlaces(before: ReadonlyMap<string, AllowedPlace | null>): Promise<readonly AllowedPlace[]> {
  const same: AllowedPlace[] = [];
  for (const [path, was] of before) {
    if (was === null) throw refusal(`${path}, which agents in a sandbox may read, was not there when this machine began`);
    const now = await lookAt(path).catch(() => null);
    if (now?.place !== was.place || now.identity !== was.identity)
      throw refusal(`${path}, which agents in a sandbox may read, is another than when this machine began`);
    same.push(was);
  }
  return same;
}

/** What must be the same inside. */
export const pinnedPlaces = (places: readonly AllowedPlace[]): readonly PinnedFolder[] =>
  places.flatMap(({ path, place, identity }) =>
    identity === null ? [] : [...new Set([path, place])].map((name) => ({ path: name, identity })),
  );

const refusal = (message: string): RelayError => new RelayError('unsupported', message, { issues: [{ path: 'sandbox', message }] });
