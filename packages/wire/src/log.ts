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

const ranks = ['silent', 'error', 'warn', 'info', 'debug'] as const;

/** For somebody who reads along: a line each, in words, with what varies behind it. */
export function plainLog(level: (typeof ranks)[number], say: (line: string) => void): Log {
  const at = (own: keyof Log) => (message: string, fields?: LogFields) => {
    if (ranks.indexOf(own) > ranks.indexOf(level)) return;
    const more = Object.entries(fields ?? {}).map(([name, value]) => `${name} ${inWords(value)}`);
    const line = `${own === 'warn' ? 'warning' : own}: ${message}${more.length === 0 ? '' : ` (${more.join(', ')})`}`;
    // What others have said begins no line of its own.
    say(line.replace(/[\n\r\v\f\u{85}\u{2028}\u{2029}]\s*/gu, ' '));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const inWords = (value: unknown): string => {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** Says nothing. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
