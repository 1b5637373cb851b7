import { spelledOut } from 'agent-relay-wire';
import { type DestinationStream, pino } from 'pino';

type Fields = Readonly<Record<string, unknown>>;

/** A constant message and fields for what varies. Tokens and message bodies are never among them. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  child(fields: Fields): Logger;
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/** Writes one JSON line an entry, in which nothing gives a terminal orders, by default to standard error, so that standard output stays free for answers. */
export function createLogger(level: LogLevel, destination: DestinationStream = pino.destination(2)): Logger {
  // An Error has no fields of its own that JSON would show.
  return wrap(
    pino({ level, base: null, serializers: { error: pino.stdSerializers.err }, hooks: { streamWrite: spelledOut } }, destination),
  );
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

function wrap(logger: pino.Logger): Logger {
  return {
    debug: (message, fields) => logger.debug(fields ?? {}, message),
    info: (message, fields) => logger.info(fields ?? {}, message),
    warn: (message, fields) => logger.warn(fields ?? {}, message),
    error: (message, fields) => logger.error(fields ?? {}, message),
    child: (fields) => wrap(logger.child(fields)),
  };
}
