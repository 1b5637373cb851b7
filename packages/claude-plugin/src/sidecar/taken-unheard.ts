import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { takenFile } from '../session-place.ts';

export interface TakenUnheardOptions {
  /** The plugin's own folder. */
  readonly data: string;
  /** Of the Claude Code that is asked about, which may be gone. */
  readonly claudePids: readonly number[];
  readonly now: number;
}

/** What was noted for a session that never came back, in ms. */
const KEPT_MS = 30 * 24 * 3_600_000;
const closings = /^\[end msg:(?<id>\d{1,15}) (?:[^\]\n]* )?(?<nonce>[^\]\s]+)\]$/gmu;

/** What hooks saw taken in while no sidecar answered them. One that was killed had pushed it, and the relay, which has no word of it, would give it again. */
export function openTakenUnheard({ data, claudePids, now }: TakenUnheardOptions) {
  const files = [...new Set(claudePids)].map((claudePid) => takenFile(data, claudePid));
  forgetOld(dirname(takenFile(data, 0)), now);
  const mail = files.flatMap((file) =>
    [...textOf(file).matchAll(closings)].map(({ groups }) => ({ messageId: Number(groups?.['id']), nonce: groups?.['nonce'] ?? '' })),
  );
  const forget = () => {
    for (const file of files) {
      try {
        rmSync(file, { force: true });
      } catch {
        // Nothing is there.
      }
    }
  };
  return { mail, forget };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // nothing was
  }
}

function forgetOld(folder: string, now: number): void {
  try {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).mtimeMs < now - KEPT_MS) rmSync(path, { force: true });
    }
  } catch {
    // Nothing was noted yet, or another process does the same.
  }
}
