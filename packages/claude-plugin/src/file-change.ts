import { type ReservationQuestion, touchedFiles } from 'agent-relay-protocol';

export interface ToolUse {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly cwd: string;
}

const kinds: Readonly<Record<string, 'edit' | 'execute'>> = {
  Bash: 'execute',
  Edit: 'edit',
  MultiEdit: 'edit',
  NotebookEdit: 'edit',
  Write: 'edit',
};

/** What a use of a tool would change, as far as it says so; null where that is nothing. */
export function changeOf({ name, input, cwd }: ToolUse): ReservationQuestion | null {
  const kind = kinds[name];
  if (kind === undefined) return null;
  const place = cwd === '' ? {} : { cwd };
  const files = touchedFiles({ kind, ...place, input: JSON.parse(JSON.stringify(input)) });
  if (files === null && kind !== 'edit') return null;
  return { kind, ...place, ...(files && { files }) };
}
