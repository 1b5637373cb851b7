import { readFileSync } from 'node:fs';
import { RelayError } from 'agent-relay-protocol';

/** A line of an env file that says something; `setting` is `null` when it is no `NAME=value`. */
export interface EnvLine {
  readonly lineNumber: number;
  readonly setting: { readonly name: string; readonly value: string } | null;
}

/** `NAME=value` a line, `#` before a comment; quotes around a value are taken off. */
export function parseEnvLines(text: string): EnvLine[] {
  return text.split(/\r?\n/u).flatMap((line, index) => {
    if (/^\s*(?:#|$)/u.test(line)) return [];
    const [, name = '', value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/u.exec(line) ?? [];
    return [{ lineNumber: index + 1, setting: name === '' ? null : { name, value: unquoted(value.trim()) } }];
  });
}

/** The text of an env file, or `null` when there is none. @throws RelayError `unauthorized` when it cannot be read. */
export function readEnvText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')) return null;
    throw new RelayError('unauthorized', `The env file ${path} cannot be read`, { cause });
  }
}

const unquoted = (value: string): string => /^(["'])(.*)\1$/u.exec(value)?.[2] ?? value;
