import { asText } from 'agent-relay-protocol';
import { type Log, logInto } from 'agent-relay-wire';
import { pino } from 'pino';
import type { Settings } from './settings.ts';

export interface LogOptions {
  readonly level: Settings['logLevel'];
  /** Never written, wherever they turn up: in an address, a stack, a cause. */
  readonly secrets: readonly string[];
  readonly write: (line: string) => void;
}

/** JSON lines. */
export function createLogger({ level, secrets, write }: LogOptions): Log {
  const stream = { write: (line: string) => write(redact(line, secrets)) };
  const logger = pino({ level, base: { pid: process.pid }, serializers: { error: describeError } }, stream);
  return logInto(logger);
}

/** Takes the secrets out of a text, also as they are written in an address or a JSON string. */
export function redact(text: string, secrets: readonly string[]): string {
  const spellings = secrets.flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  return spellings.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text);
}

/** Type, words and stack. An error of grammY also carries the request it failed with: the body of a message, which is nobody's business here. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return asText(error);
  const cause: unknown = error.cause ?? ('error' in error ? error.error : undefined);
  return {
    type: error.name,
    message: error.message,
    ...('code' in error ? { code: error.code } : {}),
    stack: error.stack,
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}
