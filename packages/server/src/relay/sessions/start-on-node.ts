import { type MethodParams, RelayError, type SandboxRequest, type Session } from 'agent-relay-protocol';
import { runSession } from '../../domain/session-lifecycle.ts';
import type { NodeLink } from '../contract/relay-contract.ts';
import type { Nodes } from '../nodes/nodes.ts';
import type { RelayCore } from '../relay-core.ts';
import type { Unstarted } from './unstarted.ts';

export interface StartOnNodeDeps extends Pick<RelayCore, 'store' | 'clock'> {
  readonly nodes: Pick<Nodes, 'end'>;
  readonly unstarted: Unstarted;
}

interface Start {
  readonly workspace: string;
  readonly link: NodeLink;
  readonly params: MethodParams<'session/start'>;
  /** Nobody has run under its name before. */
  readonly isNewcomer: boolean;
}

/** Has a machine start a session that has begun in the store; one that does not come up is ended there and here. @throws RelayError why. */
export async function startOnNode(
  { store, clock, nodes, unstarted }: StartOnNodeDeps,
  { workspace, link, params, isNewcomer }: Start,
): Promise<Session> {
  const { sessionId } = params.session;
  try {
    const started = await link.command('session/start', params);
    if (params.resume !== undefined && started.resumed !== true)
      throw new RelayError('unsupported', 'The relay-connect of this machine is too old to go on with a conversation: update it');
    if (params.fork && started.forked !== true)
      throw new RelayError('unsupported', 'The relay-connect of this machine is too old to go on with a copy of a conversation: update it');
    if (params.session.target === 'background' && started.attach === undefined)
      throw new RelayError('unsupported', 'The relay-connect of this machine is too old to run an agent in the background: update it');
    if (mustBeKept(params.sandbox) && (started.sandbox ?? 'none') === 'none')
      throw new RelayError('unsupported', 'The relay-connect of this machine is too old to put an agent in a sandbox: update it');
    const session = await store.sessions.change(workspace, sessionId, (current, facts) => runSession(current, facts, started, clock.now()));
    if (session?.status === 'running') return session;
    throw new RelayError('gone', session?.reason ?? 'The session ended while it was being started');
  } catch (error) {
    const failure = startFailure(error);
    const end = await nodes.end(workspace, sessionId, 'failed', failure.message);
    // It may have come up after all: nobody waits for it any more.
    link.command('session/close', { sessionId, reason: 'Its start failed' }).catch(() => {});
    if (isNewcomer && end?.card && end.session.runningSince === undefined) unstarted.note(workspace, end.card);
    throw failure;
  }
}

const mustBeKept = (asked: SandboxRequest | undefined): boolean => asked !== undefined && asked !== 'none' && asked !== 'auto';

/** In the node's own words where it has some; a link that ended or stayed silent is the node's failure. */
function startFailure(error: unknown): RelayError {
  if (!(error instanceof RelayError)) return new RelayError('internal', 'Starting the agent failed inside the relay', { cause: error });
  if (error.code === 'connection_closed')
    return new RelayError('node_unavailable', 'The machine was lost while it started the agent', { cause: error });
  if (error.code === 'timeout') return new RelayError('node_unavailable', 'The machine took too long to start the agent', { cause: error });
  return error;
}
