import type { MethodParams } from 'agent-relay-protocol';
import { pathInside } from 'agent-relay-provider';
import type { KeptAgent } from './owner/node-file.ts';

export type KeptStart = Pick<
  MethodParams<'session/start'>,
  'session' | 'task' | 'cwd' | 'within' | 'mode' | 'approval' | 'model' | 'resume' | 'dialled'
>;

/** Whether the relay asks for the kept agent as its entry says, and for nothing besides: its name alone is no leave. */
export function isStartOf(agent: KeptAgent, start: KeptStart, workspacesFolder: string): boolean {
  const { session, task, within, dialled } = start;
  if (task !== null || within !== null || dialled !== undefined || session.target === 'background') return false;
  return (
    session.provider === agent.provider &&
    start.mode === (agent.mode ?? 'agentic') &&
    // `open` is what counts where nothing is said: anything is as strict.
    (agent.approval === undefined || start.approval === agent.approval) &&
    session.ask === (agent.ask ?? false) &&
    start.model === (agent.model ?? null) &&
    isFolderOf(agent, start, workspacesFolder)
  );
}

/** Where none is said it is a fresh one, and with its conversation the one that was fresh then. */
function isFolderOf({ resume, ...agent }: KeptAgent, { cwd, ...start }: KeptStart, workspacesFolder: string): boolean {
  const folder = agent.folder ?? null;
  if (folder !== null || cwd === null) return cwd === folder;
  return resume && start.resume !== undefined && Boolean(pathInside(workspacesFolder, cwd));
}
