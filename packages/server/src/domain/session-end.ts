import type { Session } from 'agent-relay-protocol';

/** A session that had run and was not told to end: its process died, or its machine lost it. */
export const hasDied = (before: Session, status: 'ended' | 'failed'): boolean => before.status === 'running' && status === 'failed';

/** What brings the agent of an ended session back, as a command of ours. */
export function spawnAgain({ provider, agentId, cwd, mode }: Pick<Session, 'provider' | 'agentId' | 'cwd' | 'mode'>): string {
  const folder = cwd === null ? '' : ` --cwd ${quoted(cwd)}`;
  return `agent-relay spawn ${quoted(provider)} --name ${quoted(agentId)}${folder}${mode === 'agentic' ? '' : ` --mode ${mode}`}`;
}

/** One word of a POSIX shell, whatever the folder is called. */
const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);
