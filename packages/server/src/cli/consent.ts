import { CommandFailure } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

export interface ConsentOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Whether to go on: not with `--dry-run`, at once with `--yes`, else as the person at the terminal says.
 * @throws CommandFailure where nobody can be asked.
 */
export async function hasConsent({ ask, note }: Terminal, { yes = false, dryRun = false }: ConsentOptions): Promise<boolean> {
  if (dryRun) note('Nothing was changed: this was --dry-run.');
  if (dryRun || yes) return !dryRun;
  if (!ask) throw new CommandFailure('error: nobody is here to be asked: say --yes, or --dry-run to look only', 2);
  const answer = await ask('Go on? [y/N] ');
  if (/^y(?:es)?$/iu.test(answer.trim())) return true;
  note('Nothing was changed.');
  return false;
}
