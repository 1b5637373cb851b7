import { RelayError } from 'agent-relay-protocol';

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

/** Where entries go that takes the fields before the words, as pino does. */
export type FieldsFirst = { readonly [Level in keyof Log]: (fields: LogFields, message: string) => void };

/** A `Log` whose entries go to such a place. */
export function logInto(place: FieldsFirst): Log {
  const at = (level: keyof Log) => (message: string, fields?: LogFields) => place[level](fields ?? {}, message);
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const ranks = ['silent', 'error', 'warn', 'info', 'debug'] as const;

/** For somebody who reads along: a line each, in words, with what varies behind it; below an `error`, where the fault arose, line by line. */
export function plainLog(level: (typeof ranks)[number], say: (line: string) => void): Log {
  const at = (own: keyof Log) => (message: string, fields?: LogFields) => {
    if (ranks.indexOf(own) > ranks.indexOf(level)) return;
    const isFault = own === 'error';
    const more = Object.entries(fields ?? {}).map(([name, value]) => `${name} ${isFault ? withCauses(value) : inWords(value)}`);
    say(asOneLine(`${own === 'warn' ? 'warning' : own}: ${message}${more.length === 0 ? '' : ` (${more.join(', ')})`}`));
    for (const line of isFault ? Object.values(fields ?? {}).flatMap(placesOf) : []) say(asOneLine(line));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What others have said begins no line of its own. */
const asOneLine = (text: string): string => text.replace(/[\n\r\v\f\u{85}\u{2028}\u{2029}]\s*/gu, ' ');

function inWords(value: unknown): string {
  if (value instanceof AggregateError && value.message === '')
    return value.errors.map((each) => (each instanceof Error ? each.message : inWords(each))).join('; ');
  if (value instanceof Error) return value.message;
  if (typeof value === 'string') return value;
  try {
    return `${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}` : each))}`;
  } catch {
    return 'in a form that cannot be shown';
  }
}

const MAX_CAUSES = 5;

/** An error and what it was caused by, outermost first. */
function chainOf(value: unknown): readonly unknown[] {
  const chain = [value];
  for (let at = value; at instanceof Error && at.cause !== undefined && !chain.includes(at.cause); at = at.cause) {
    if (chain.length === MAX_CAUSES) break;
    chain.push(at.cause);
  }
  return chain;
}

const withCauses = (value: unknown): string => chainOf(value).map(inWords).join(', because of: ');

/** Where what lies at the ground of an error arose, indented; nothing where that is a refusal, which its words say. */
function placesOf(value: unknown): readonly string[] {
  const ground = chainOf(value).findLast((each) => each instanceof Error);
  if (!(ground instanceof Error) || ground instanceof RelayError) return [];
  const { message, stack = '' } = ground;
  const below = stack.slice(stack.includes(message) ? stack.indexOf(message) + message.length : 0);
  return below
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .map((line) => `    ${line}`);
}

/** Says nothing. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
