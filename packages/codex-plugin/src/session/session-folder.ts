import { join } from 'node:path';
import { stateFolder } from './state-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const threadIds = /^[\w-]{1,128}$/u;

/** The folder of a session's files, this user's alone; null for what is no id of a conversation. */
export function sessionFolder(env: Environment, threadId: string): string | null {
  return threadIds.test(threadId) ? join(stateFolder(env), 'codex-sessions', threadId) : null;
}
