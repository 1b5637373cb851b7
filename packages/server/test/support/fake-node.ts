import { type MethodParams, type NodeProvider, PROTOCOL_VERSION, RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';

/** A machine on the far end of a real socket: it starts whatever it is asked to, and remembers the tokens its sessions were given. */
export interface FakeNode {
  readonly nodeId: string;
  readonly peer: JsonRpcPeer;
  /** Of each session, by agent. */
  readonly tokens: ReadonlyMap<string, string>;
}

/** `credential`: a token, or the headers of a browser. */
export async function attachNode(
  url: string,
  credential: string | Record<string, string>,
  name: string,
  providers: readonly NodeProvider[] = [{ id: 'claude', available: true, version: '1', reason: null }],
): Promise<FakeNode> {
  const tokens = new Map<string, string>();
  const headers = typeof credential === 'string' ? { authorization: `Bearer ${credential}` } : credential;
  const duplex = await connectWebSocket(`${url.replace('http', 'ws')}/ws`, { headers });
  const peer = new JsonRpcPeer(duplex, {
    onRequest: (method, params) => {
      switch (method) {
        case 'session/start': {
          const { session, token: itsToken } = params as MethodParams<'session/start'>; // the relay's own word
          tokens.set(session.agentId, itsToken);
          return { cwd: '/folder', vendorSessionId: null, model: null };
        }
        case 'session/interrupt':
          return { interrupted: true };
        case 'session/resolve-approval':
          return { resolved: true };
        case 'session/close':
          return {};
        default:
          throw new RelayError('unknown_method', method);
      }
    },
  });
  const attached = await peer.request('nodes/attach', {
    name,
    version: RELAY_VERSION,
    protocol: PROTOCOL_VERSION,
    providers,
    sessions: [],
  });
  return { nodeId: (attached as { nodeId: string }).nodeId, peer, tokens };
}
