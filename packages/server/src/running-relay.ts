import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isSameProcess, lastRunningRelay, processIdentity, type RunningRelay } from 'agent-relay-wire/node';
import type { z } from 'zod';

/** The relay that serves this database now; `null` when it has ended, however it did. */
export async function readRunningRelay(path: string): Promise<RunningRelay | null> {
  const running = lastRunningRelay(path);
  return running !== null && (await isSameProcess(running)) ? running : null;
}

export async function writeRunningRelay(path: string, where: Pick<RunningRelay, 'url' | 'socket'>): Promise<void> {
  const startedAt = (await processIdentity(process.pid))?.startedAt ?? '';
  writeFileSync(path, JSON.stringify({ ...where, pid: process.pid, startedAt } satisfies RunningRelay), { mode: 0o600 });
}

/** Only one's own: a relay that came after us has written over it. */
export function removeRunningRelay(path: string): void {
  if (lastRunningRelay(path)?.pid === process.pid) rmSync(path, { force: true });
}

/** `null` when the file is missing, cut short, or of another shape: it is a note, and a new one can be written. */
export function readJson<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> | null {
  try {
    return schema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data ?? null;
  } catch {
    return null;
  }
}
