import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';

/**
 * `codex exec` would say so with the first prompt only.
 * @throws RelayError `not_found` when Codex has stored no such conversation.
 */
export async function assertStored(codexHome: string, threadId: string): Promise<void> {
  const names = await readdir(join(codexHome, 'sessions'), { recursive: true }).catch(() => []);
  const ending = `-${threadId.toLowerCase()}.jsonl`;
  if (!names.some((name) => name.toLowerCase().endsWith(ending)))
    throw new RelayError('not_found', `Codex has stored no conversation ${threadId}`);
}
