import type { Command } from 'commander';
import { CommandFailure, type RelayOptions } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

/** Options that say who acts; either name will do. */
export interface ActingOptions extends RelayOptions {
  readonly from?: string;
  readonly agent?: string;
}

/** The agent whose session runs this command: what a provider set for it, or what the host that runs it did. */
export const agentOfSession = (env: Terminal['env']): string | undefined =>
  env['AGENT_RELAY_ID'] || env['AGENT_RELAY_AGENT_ID'] || undefined;

export const actingCommand = (command: Command): Command =>
  command
    .option('--from <id>', 'who acts (default: AGENT_RELAY_ID, else the agent whose session this is, else the owner)')
    .option('--agent <id>', 'the same as --from');

/** Who acts; undefined leaves it to the relay, which knows whom the token speaks for. @throws CommandFailure where two are said. */
export function currentAgent({ from, agent }: ActingOptions, { env }: Pick<Terminal, 'env'>): string | undefined {
  if (from !== undefined && agent !== undefined && from !== agent)
    throw new CommandFailure('error: --from and --agent say the same: who acts; name one', 2);
  return from ?? agent ?? agentOfSession(env);
}

/** For what only an agent has; `instead` tells a person what they may have meant. @throws CommandFailure. */
export function requireAgent(options: ActingOptions, terminal: Pick<Terminal, 'env'>, instead = ''): string {
  const found = currentAgent(options, terminal);
  if (found !== undefined) return found;
  throw new CommandFailure(`error: say which agent: --agent <id>, or set AGENT_RELAY_ID${instead}`, 2);
}

/**
 * In an agent's session the owner's token of this machine would make what the agent decides look like a person's word.
 * @throws CommandFailure.
 */
export function requirePerson({ env }: Pick<Terminal, 'env'>): void {
  const agentId = env['AGENT_RELAY_AGENT_ID'];
  if (agentId)
    throw new CommandFailure(`error: this runs in the session of ${agentId}, and a person decides this: from a terminal of their own`, 1);
}

/** The options without those that say who acts. */
export const relayOptionsOf = ({ url, token, db }: RelayOptions): RelayOptions => ({
  ...(url === undefined ? {} : { url }),
  ...(token === undefined ? {} : { token }),
  ...(db === undefined ? {} : { db }),
});
