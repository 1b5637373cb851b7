import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Codex refuses to make its helper programs below the temporary folder, and then neither commands nor edits work: when its home lies
 * there, its temporary folder has to be another one, which is made in `folder`. `codexHome` is the one that is asked for, if any.
 */
export async function usableEnvironment(env: Environment, codexHome: string | undefined, folder: string): Promise<Environment> {
  const home = codexHome ?? env['CODEX_HOME'];
  const adjusted = { ...env, ...(home === undefined ? {} : { CODEX_HOME: home }) };
  const actualHome = home ?? join(env['HOME'] ?? homedir(), '.codex');
  if (!isBelow(env['TMPDIR'] ?? '/tmp', actualHome)) return adjusted;
  const temporary = join(folder, 'tmp');
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  return { ...adjusted, TMPDIR: temporary };
}

function isBelow(folder: string, path: string): boolean {
  const between = relative(resolve(folder), resolve(path));
  return between === '' || (!between.startsWith('..') && !isAbsolute(between));
}
