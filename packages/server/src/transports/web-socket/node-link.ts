import {
  type ErrorCode,
  errorTable,
  type MethodParams,
  type MethodResult,
  type NodeCommandName,
  nodeCommands,
  RelayError,
} from 'agent-relay-protocol';
import type { JsonRpcPeer } from 'agent-relay-wire';
import type { NodeLink } from '../../relay/contract/relay-contract.ts';

/** A node's socket as the relay calls it. */
export class SocketNodeLink implements NodeLink {
  readonly #peer: JsonRpcPeer;

  constructor(peer: JsonRpcPeer) {
    this.#peer = peer;
  }

  async command<Name extends NodeCommandName>(name: Name, params: MethodParams<Name>): Promise<MethodResult<Name>> {
    const answer = await this.#peer.request(name, params, { timeoutMs: nodeCommands[name].limitMs }).catch((error: unknown) => {
      throw asOfNode(name, error);
    });
    const result = nodeCommands[name].result.safeParse(answer);
    if (!result.success) throw new RelayError('node_unavailable', `The node answered ${name} in a form this relay does not know`);
    return result.data as MethodResult<Name>; // parsed by the schema that the type is inferred from
  }

  close(code: 'stale_session' | 'unauthorized', message: string): void {
    // The link is the node's no more, whether or not it still answers the close frame.
    void this.#peer.close({ code: errorTable[code].closeCode, reason: message });
  }
}

/** What fails inside a node is no failure of the relay: only what the node means passes as it is. */
function asOfNode(name: NodeCommandName, error: unknown): unknown {
  if (!(error instanceof RelayError) || error.httpStatus < 500 || passing.has(error.code)) return error;
  return new RelayError('node_unavailable', `The node failed at ${name}: ${error.message}`, { cause: error });
}

const passing: ReadonlySet<ErrorCode> = new Set(['node_unavailable', 'provider_unavailable', 'connection_closed']);
