import { statSync } from 'node:fs';
import { type FieldIssue, RelayError } from 'agent-relay-protocol';
import { parseEnvLines, readEnvText } from 'agent-relay-wire/node';
import { type SettingName, settingNames } from '../config.ts';

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
  const text = readEnvText(path);
  if (text === null) return null;
  return { path, text, values: parseEnvFile(text, path), isOpenToOthers: (statSync(path).mode & 0o077) !== 0 };
}

/** Only the relay's own settings, for a misspelt one does nothing. @throws RelayError `validation_failed`. */
export function parseEnvFile(text: string, path: string): EnvFileValues {
  const values: EnvFileValues = {};
  const issues: FieldIssue[] = [];
  for (const { lineNumber, setting } of parseEnvLines(text)) {
    // The line itself is not repeated: it may hold a token.
    if (setting === null) issues.push({ path: `line ${lineNumber}`, message: 'is not NAME=value' });
    else if (isSettingName(setting.name)) values[setting.name] = setting.value;
    else issues.push({ path: `line ${lineNumber}`, message: `${setting.name} is no setting of the relay` });
  }
  if (issues.length === 0) return values;
  const what = issues.map((issue) => `${issue.path}: ${issue.message}`).join('; ');
  throw new RelayError('validation_failed', `The env file ${path} is not valid: ${what}`, { issues });
}

const isSettingName = (name: string): name is SettingName => settingNames.some((known) => known === name);
