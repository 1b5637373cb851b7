import type { HostLog } from 'agent-relay-host';
import { pino } from 'pino';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** JSON lines to a file, else to standard error. */
export function createLogger(level: LogLevel, file: string | null): HostLog {
  const destination = file === null ? pino.destination({ dest: 2, sync: true }) : pino.destination({ dest: file, mkdir: true, sync: true });
  const logger = pino({ level, base: { pid: process.pid }, serializers: { error: pino.stdSerializers.err } }, destination);
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
  };
}
