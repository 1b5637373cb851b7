import { readFileSync, statSync } from 'node:fs';
import { type FieldIssue, RelayError } from 'agent-relay-protocol';
import { type SettingName, settingNames } from '../config.ts';
import { isFileError } from '../owner-token.ts';

export type EnvFileValues = Partial<Record<SettingName, string>>;

export interface EnvFile {
  readonly path: string;
  readonly text: string;
  readonly values: EnvFileValues;
  /** Whether other users of the machine may read it. */
  readonly isOpenToOthers: boolean;
}

/**
 * The settings that a file holds, or `null` when there is no such file.
 * @throws RelayError `validation_failed` that names every line it does not understand, `unauthorized` when the file cannot be read.
 */
export function readEnvFile(path: string): EnvFile | null {
  try {
    const text = readFileSync(path, 'utf8');
    return { path, text, values: parseEnvFile(text, path), isOpenToOthers: (statSync(path).mode & 0o077) !== 0 };
  } catch (cause) {
    if (cause instanceof RelayError) throw cause;
    if (isFileError(cause, 'ENOENT') || isFileError(cause, 'ENOTDIR')) return null;
    throw new RelayError('unauthorized', `The env file ${path} cannot be read`, { cause });
  }
}

/** `NAME=value` a line, `#` before a comment; quotes around a value are taken off. Only the relay's own settings, for a misspelt one does nothing. */
export function parseEnvFile(text: string, path: string): EnvFileValues {
  const values: EnvFileValues = {};
  const issues: FieldIssue[] = [];
  for (const [index, line] of text.split(/\r?\n/u).entries()) {
    if (/^\s*(?:#|$)/u.test(line)) continue;
    const [, name = '', value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/u.exec(line) ?? [];
    // The line itself is not repeated: it may hold a token.
    if (name === '') issues.push({ path: `line ${index + 1}`, message: 'is not NAME=value' });
    else if (isSettingName(name)) values[name] = unquoted(value.trim());
    else issues.push({ path: `line ${index + 1}`, message: `${name} is no setting of the relay` });
  }
  if (issues.length === 0) return values;
  const what = issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ');
  throw new RelayError('validation_failed', `The env file ${path} is not valid: ${what}`, { issues });
}

const isSettingName = (name: string): name is SettingName => settingNames.some((known) => known === name);

const unquoted = (value: string): string => /^(["'])(.*)\1$/u.exec(value)?.[2] ?? value;
