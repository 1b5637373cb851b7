import { RelayError } from 'agent-relay-protocol';
import { CommanderError } from 'commander';

/**
 * Tells why a command line came to nothing, and answers its exit code: 1 refused, by the system too (a full disk, a folder that cannot be written), 2
 * wrong usage.
 * @throws what is neither: a bug.
 */
export function exitCodeOf(error: unknown, tell: (sentence: string) => void): number {
  // It has said what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof RelayError) tell(`${error.message} (${error.code})`);
  else if (error instanceof Error && 'syscall' in error) tell(error.message);
  else throw error;
  return error instanceof RelayError && error.code === 'validation_failed' ? 2 : 1;
}
