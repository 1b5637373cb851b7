// Folders of pinned npm packages that are no workspace packages: tools/, tools/agents/, tools/nodes/, tools/registry/.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runOrFail } from './run.mjs';

/**
 * Installs a folder's package-lock.json exactly, without install scripts, unless that very lock is installed already.
 * Resolves with the seconds it took, or 0.
 *
 * @param {string} folder
 * @param {{ title: string, omitOptional?: boolean }} options
 */
export async function installLocked(folder, { title, omitOptional = false }) {
  const stamp = join(folder, 'node_modules', '.agent-relay-installed');
  const wanted = `${omitOptional ? 'required' : 'all'} ${process.platform} ${process.arch}\n${readFileSync(join(folder, 'package-lock.json'), 'utf8')}`;
  const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  // A folder with the optional packages serves those who need only the required ones.
  if (installed === wanted || installed === wanted.replace(/^required/, 'all')) return 0;
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...(omitOptional ? ['--omit=optional'] : [])];
  const { seconds } = await runOrFail(title, 'npm', args, { cwd: folder });
  writeFileSync(stamp, wanted);
  return seconds;
}
