import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isWithin } from 'agent-relay-wire/node';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Codex refuses to make its helper programs below the temporary folder, and then neither commands nor edits work: when its home lies
 * there, its temporary folder has to be another one, which is made in `folder`. `codexHome` is the one that is asked for, if any.
 */
export async function usableEnvironment(env: Environment, codexHome: string | undefined, folder: string): Promise<Environment> {
  const home = codexHome ?? env['CODEX_HOME'];
  const adjusted = { ...env, ...(home === undefined ? {} : { CODEX_HOME: home }) };
  const actualHome = home ?? join(env['HOME'] ?? homedir(), '.codex');
  if (!isWithin(resolve(actualHome), resolve(env['TMPDIR'] ?? '/tmp'))) return adjusted;
  const temporary = join(folder, 'tmp');
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  return { ...adjusted, TMPDIR: temporary };
}
