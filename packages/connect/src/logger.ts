import { type Log, logInto, spelledOut } from 'agent-relay-wire';
import { pino } from 'pino';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** JSON lines, in which nothing gives a terminal orders, to a file, else to standard error. */
export function createLogger(level: LogLevel, file: string | null): Log {
  const destination = file === null ? pino.destination({ dest: 2, sync: true }) : pino.destination({ dest: file, mkdir: true, sync: true });
  // A full disk, or a terminal that was closed, ends nobody's agents.
  destination.on('error', () => {});
  const serializers = { error: pino.stdSerializers.err };
  const logger = pino({ level, base: { pid: process.pid }, serializers, hooks: { streamWrite: spelledOut } }, destination);
  return logInto(logger);
}
