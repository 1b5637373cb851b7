import { RelayError } from 'agent-relay-protocol';
import { envFilePathOf } from 'agent-relay-wire/node';
import type { ConfigSources } from '../config.ts';
import { readEnvFile } from '../operations/env-file.ts';
import type { Terminal } from './terminal.ts';

interface Asked {
  readonly flags: ConfigSources['flags'];
  /** What `--settings` said; Node takes an `--env-file` for itself, wherever on the command line it stands. */
  readonly envFile: string | undefined;
}

/**
 * Flags, environment and env file, for `readConfig`. The file in its usual place may be missing; one that was named may not.
 * @throws RelayError `not_found`, and what `readEnvFile` throws.
 */
export function settingSources(
  { env, note }: Pick<Terminal, 'env' | 'note'>,
  { flags, envFile }: Asked,
): ConfigSources & { readonly envFilePath: string | null } {
  const named = envFile ?? (env['AGENT_RELAY_ENV_FILE'] || undefined);
  const path = envFilePathOf(named === undefined ? env : { ...env, AGENT_RELAY_ENV_FILE: named });
  const found = readEnvFile(path);
  if (found === null && named !== undefined) throw new RelayError('not_found', `There is no env file ${path}`);
  if (found?.isOpenToOthers === true && found.values.AGENT_RELAY_TOKEN !== undefined) {
    note(`warning: other users can read the token in ${path}; put it right with: chmod 600 ${path}`);
  }
  return { env, flags, envFile: found?.values ?? {}, envFilePath: found?.path ?? null };
}
