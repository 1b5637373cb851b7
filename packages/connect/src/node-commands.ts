import type { Host, SessionIdentity } from 'agent-relay-host';
import { MCP_PATH, MCP_SERVER_NAME, nodeCommands, parseInput, RelayError } from 'agent-relay-protocol';

export interface NodeCommandsOptions {
  readonly host: Pick<Host, 'start' | 'interrupt' | 'resolveApproval' | 'release'>;
  /** The relay's http(s) address, as agents on this machine reach it. */
  readonly url: URL;
  readonly onStarted: (session: SessionIdentity) => void;
}

/** Does what the relay asks of this machine. */
export function nodeCommandHandler({ host, url, onStarted }: NodeCommandsOptions): (method: string, params: unknown) => Promise<unknown> {
  return async (method, params) => {
    switch (method) {
      case 'session/start': {
        const { token, ...request } = parseInput(nodeCommands['session/start'].params, params);
        const headers = { authorization: `Bearer ${token}` };
        const mcp = [{ name: MCP_SERVER_NAME, url: new URL(MCP_PATH, url).href, headers }];
        const started = await host.start({ ...request, mcp });
        onStarted(request.session);
        return started;
      }
      case 'session/interrupt': {
        const { sessionId } = parseInput(nodeCommands['session/interrupt'].params, params);
        return { interrupted: await host.interrupt(sessionId) };
      }
      case 'session/resolve-approval': {
        const { sessionId, approvalId, outcome, by, message } = parseInput(nodeCommands['session/resolve-approval'].params, params);
        const decision = { outcome, by, ...(message === undefined ? {} : { message }) };
        return { resolved: await host.resolveApproval(sessionId, approvalId, decision) };
      }
      case 'session/close': {
        const { sessionId, reason } = parseInput(nodeCommands['session/close'].params, params);
        await host.release(sessionId, reason);
        return {};
      }
      default:
        throw new RelayError('unknown_method', `A node has no method ${method.slice(0, 100)}`);
    }
  };
}
