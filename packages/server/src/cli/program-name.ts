import { realpathSync } from 'node:fs';
import { engine } from '../engine.ts';
import { installationOf } from '../operations/installation.ts';
import type { OwnProgram, Terminal } from './terminal.ts';

/**
 * How whoever runs this program calls it, for sentences that say what to type next: `npx agent-relay-server` where npm found it (npx, or `npm start` of
 * a checkout, whose folder has it), else `agent-relay`. Never `npx agent-relay`: outside a checkout that is somebody else's package.
 */
export function programName(env: Readonly<Record<string, string | undefined>>): string {
  const isFoundByNpm = env['npm_command'] === 'exec' || env['npm_lifecycle_event'] === 'start';
  return isFoundByNpm ? 'npx agent-relay-server' : 'agent-relay';
}

export const programOf = ({ program }: Pick<Terminal, 'program'> = {}): OwnProgram =>
  program ?? { flags: process.execArgv, path: realpathSync(process.argv[1] ?? '') };

/** The checkout whose `npm start` brings a Node that can serve, where this one cannot; else `null`. */
export function checkoutThatServes(): string | null {
  if (engine.obstacle() === null) return null;
  const installation = installationOf(programOf().path);
  return installation.type === 'checkout' ? installation.folder : null;
}

/** What starts a relay here, as the end of a sentence. */
export function startCommand(env: Parameters<typeof programName>[0]): string {
  const checkout = checkoutThatServes();
  return checkout === null ? `${programName(env)} serve` : `npm start, in ${checkout}`;
}
