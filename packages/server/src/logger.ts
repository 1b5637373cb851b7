import { type Log, type LogFields, logInto, plainLog, silentLog, spelledOut } from 'agent-relay-wire';
import { type DestinationStream, pino } from 'pino';

/** A log of which each part of the relay may have its own, with fields that its lines share. */
export interface Logger extends Log {
  child(fields: LogFields): Logger;
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Writes one JSON line an entry, in which nothing gives a terminal orders, by default to standard error, so that standard output stays free for answers. */
export function createLogger(level: LogLevel, destination: DestinationStream = pino.destination(2)): Logger {
  // An Error has no fields of its own that JSON would show.
  return wrap(
    pino({ level, base: null, serializers: { error: pino.stdSerializers.err }, hooks: { streamWrite: spelledOut } }, destination),
  );
}

/** The same in words, for somebody who reads along: fields that lines of one part share are for programs. */
export function createSpokenLogger(level: LogLevel, say: (line: string) => void): Logger {
  const logger: Logger = { ...plainLog(level, say), child: () => logger };
  return logger;
}

export const silentLogger: Logger = { ...silentLog, child: () => silentLogger };

function wrap(logger: pino.Logger): Logger {
  return { ...logInto(logger), child: (fields) => wrap(logger.child(fields)) };
}
