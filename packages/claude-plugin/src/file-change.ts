import { touchedFiles } from 'agent-relay-protocol';

export interface UseInFolder {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly cwd: string;
}

/** As the relay is asked whether somebody keeps the session from it. */
interface FileChange {
  readonly kind: 'edit' | 'execute';
  readonly cwd?: string;
  readonly files?: string[];
}

const kinds: Readonly<Record<string, FileChange['kind']>> = {
  Bash: 'execute',
  Edit: 'edit',
  MultiEdit: 'edit',
  NotebookEdit: 'edit',
  Write: 'edit',
};

/** What a use of a tool would change, as far as it says so; null where that is nothing. */
export function changeOf({ name, input, cwd }: UseInFolder): FileChange | null {
  const kind = kinds[name];
  if (kind === undefined) return null;
  const place = cwd === '' ? {} : { cwd };
  const files = touchedFiles({ kind, ...place, input: JSON.parse(JSON.stringify(input)) });
  if (files === null && kind !== 'edit') return null;
  return { kind, ...place, ...(files && { files }) };
}
