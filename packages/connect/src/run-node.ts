import { fetchTo, outgoingFetch, socketFetch } from 'agent-relay-client/node';
import { createHost } from 'agent-relay-host';
import { DIALLED_PATH } from 'agent-relay-protocol';
import { ConnectedNode } from './connected-node.ts';
import { DialledSessions } from './dialled-sessions.ts';
import { openHooksFile } from './hooks-file.ts';
import { LinkHolder } from './link-holder.ts';
import type { NodeOptions, RunningNode } from './node-contract.ts';
import { NodeRelay, type NodeRelayOptions } from './node-relay.ts';
import { openSocket } from './relay-link.ts';
import { lockState } from './state-lock.ts';
import { ToolDoor } from './tool-door.ts';

/**
 * Lends this machine to a relay. Connects again for as long as the relay has been away less than the grace period; its agents live meanwhile.
 * @throws RelayError `busy` when another node uses the state folder.
 */
export async function runNode(options: NodeOptions): Promise<RunningNode> {
  const lock = await lockState(options.stateDir);
  try {
    const {
      url,
      socketPath,
      socketOwnerFile,
      outgoing,
      providers,
      stateDir,
      allowedFolders,
      log,
      clock,
      env,
      allowedEnvironment,
      hostLimits,
    } = options;
    const links = new LinkHolder();
    const straight = outgoing === undefined ? fetchTo(url) : outgoingFetch(outgoing);
    const fetch = socketPath === undefined ? straight : socketFetch(socketPath, socketOwnerFile);
    const tools = await ToolDoor.open({ url, fetch, log });
    const dialledSessions = new DialledSessions(async (linkId) => {
      const way = { url, socketPath, socketOwnerFile, outgoing, token: await options.readToken() };
      return openSocket(way, `${DIALLED_PATH}/${linkId}`, { framing: 'lines' });
    });
    let node: ConnectedNode | null = null;
    const onEnded: NodeRelayOptions['onEnded'] = (session, end) => {
      dialledSessions.end(session.sessionId);
      options.onStatus?.({ type: 'agentEnded', agentId: session.agentId, reason: end.reason });
      node?.agentEnded(session, end);
    };
    const relay = new NodeRelay({ links, log, clock, tools, onEnded });
    const hooks =
      options.hooksFile === undefined
        ? null
        : openHooksFile(
            options.hooksFile,
            log,
            providers.map(({ id }) => id),
          );
    const host = await createHost({
      providers,
      stateDir,
      allowedFolders,
      relay,
      log,
      clock,
      env,
      ...(allowedEnvironment && { allowedEnvironment }),
      ...(hooks && { hooks: () => hooks.current }),
      ...hostLimits,
    });
    relay.serve(host);
    node = new ConnectedNode(options, { lock, links, relay, host, tools, dialledSessions, hooks });
    return node;
  } catch (error) {
    lock.release();
    throw error;
  }
}
