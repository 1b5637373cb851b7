import type { Agent, Session } from 'agent-relay-protocol';
import { shellWord } from './shell-word.ts';

/** A session that had run and was not told to end: its process died, or its machine lost it. */
export const hasDied = (before: Session, status: 'ended' | 'failed'): boolean => before.status === 'running' && status === 'failed';

type StartedAs = Pick<
  Session,
  'provider' | 'agentId' | 'cwd' | 'mode' | 'ask' | 'model' | 'nodeId' | 'vendorSessionId' | 'sandbox' | 'target'
>;

/** How the agent of an ended session comes back, in a sentence. */
export function comeBack(session: StartedAs & Pick<Session, 'dialledIn'>, card: Pick<Agent, 'approval'>): string {
  if (!session.dialledIn) return `To start it again: ${spawnAgain(session, card)}`;
  const newCode = `agent-relay token dial-in ${shellWord(session.agentId)}`;
  return `It had dialled in: dial again where it ran, with its token or with what this prints: ${newCode}`;
}

/** What brings the agent of an ended session back as it was, where it was, with its conversation where its vendor keeps it: as a command of ours. */
export function spawnAgain(
  { provider, agentId, cwd, mode, ask, model, nodeId, vendorSessionId, sandbox, target }: StartedAs,
  { approval }: Pick<Agent, 'approval'>,
): string {
  const options = [
    `--name ${shellWord(agentId)}`,
    ...(cwd === null ? [] : [`--cwd ${shellWord(cwd)}`]),
    // Said in any case: what is not comes from the environment and the terminal where the command is typed.
    ...(mode === 'agentic' ? [ask ? '--ask' : '--no-ask'] : [`--mode ${mode}`]),
    `--approval ${approval}`,
    ...(model === null ? [] : [`--model ${shellWord(model)}`]),
    `--node ${shellWord(nodeId)}`,
    ...(sandbox === 'none' ? [] : [`--sandbox ${sandbox}`]),
    ...(target === 'background' ? ['--target background'] : []),
    ...(vendorSessionId === null ? [] : ['--resume']),
  ];
  return `agent-relay spawn ${shellWord(provider)} ${options.join(' ')}`;
}
