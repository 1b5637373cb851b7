import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KnownReservations, ReservationSchema } from 'agent-relay-protocol';
import { z } from 'zod';
import { sessionFolder } from './session-folder.ts';
import { writeSessionFile } from './stored-session.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const CopySchema = z.object({ reservations: z.array(ReservationSchema), aheadMs: z.number() });
const fileName = 'reservations.json';

/** What is reserved, as the hooks of a session, each a process of its own, hand it on; `now` is what they all have in common. */
export function keptReservations(env: Environment, threadId: string, now: () => number): KnownReservations {
  // What cannot be read is asked for with the next prompt.
  return new KnownReservations({ clock: { now, elapsedMs: now }, onFault: () => {}, copy: readCopy(env, threadId) });
}

/** @throws what the disk says. */
export const keepReservations = (env: Environment, threadId: string, { copy }: KnownReservations): void =>
  writeSessionFile(env, threadId, { name: fileName, content: JSON.stringify(copy) });

function readCopy(env: Environment, threadId: string) {
  const folder = sessionFolder(env, threadId);
  if (folder === null) return undefined;
  try {
    return CopySchema.safeParse(JSON.parse(readFileSync(join(folder, fileName), 'utf8'))).data;
  } catch {
    return undefined; // nothing was handed on yet
  }
}
