export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where a program says what people who run it should know: a constant message, fields for what varies. Never a token, never a message body.
 * `error`: someone must act. `warn`: it recovered. `info`: life cycle. `debug`: the rest. Does not throw and is not waited for; whoever writes
 * the lines bounds what it holds.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Says nothing. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
