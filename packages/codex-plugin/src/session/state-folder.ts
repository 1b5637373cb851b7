import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where this package keeps what it has to remember: `$XDG_STATE_HOME/agent-relay`. */
export function stateFolder(env: Environment): string {
  const home = env['HOME'] || env['USERPROFILE'] || homedir();
  return join(env['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'agent-relay');
}
