import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isSameProcess, processIdentity } from 'agent-relay-wire/node';
import { z } from 'zod';

const RunningRelaySchema = z.object({
  url: z.string(),
  /** The door for programs of this user; `null` where the system gave it none. */
  socket: z.string().nullable(),
  pid: z.int().min(1),
  startedAt: z.string(),
});
/** Which process serves a database, and where. */
export type RunningRelay = z.infer<typeof RunningRelaySchema>;

/** The relay that serves this database now; `null` when it has ended, however it did. */
export async function readRunningRelay(path: string): Promise<RunningRelay | null> {
  const running = lastRunningRelay(path);
  return running !== null && (await isSameProcess(running)) ? running : null;
}

/** What the last relay of this database said about itself, whether or not it still runs. */
export const lastRunningRelay = (path: string): RunningRelay | null => readJson(path, RunningRelaySchema);

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
