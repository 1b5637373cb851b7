import type { Host, SessionIdentity } from 'agent-relay-host';
import {
  type Dialled,
  loosely,
  MCP_PATH,
  type MethodParams,
  nodeCommands,
  parseInput,
  RelayError,
  type Session,
  SessionSchema,
} from 'agent-relay-protocol';
import type { McpEndpoint } from 'agent-relay-provider';
import { escapeLookAlikes } from 'agent-relay-wire';
import type { DialledSessions } from './dialled-sessions.ts';
import type { ToolDoor } from './tool-door.ts';

/** What the agent may do is said in words of this version, or it is not started. */
const StartSchema = nodeCommands['session/start'].params.extend({ session: loosely(SessionSchema) });

export interface NodeCommandsOptions {
  readonly host: Pick<Host, 'detectOne' | 'has' | 'start' | 'interrupt' | 'resolveApproval' | 'release'>;
  readonly tools: Pick<ToolDoor, 'admit' | 'has' | 'dismiss'>;
  readonly dialledSessions: Pick<DialledSessions, 'begin' | 'again' | 'end'>;
  readonly onStarted: (session: SessionIdentity & Pick<Session, 'provider'>) => void;
}

/** Does what the relay asks of this machine. */
export function nodeCommandHandler({
  host,
  tools,
  dialledSessions,
  onStarted,
}: NodeCommandsOptions): (method: string, params: unknown) => Promise<unknown> {
  return async (method, params) => {
    switch (method) {
      case 'provider/detect':
        return host.detectOne(parseInput(nodeCommands['provider/detect'].params, params).id);
      case 'session/start': {
        const { token, dialled, ...request } = parseInput(StartSchema, params);
        const { sessionId } = request.session;
        const mcp = [toolsFor(await tools.admit(sessionId, token, { isDialled: dialled !== undefined }), token, dialled)];
        try {
          if (!tools.has(sessionId)) throw new RelayError('gone', 'The session was ended before its agent was started');
          const dialIn = dialled && (await dialledSessions.begin(sessionId, dialled));
          const started = await host.start({ ...request, mcp, dialIn });
          onStarted(request.session);
          return started;
        } catch (error) {
          tools.dismiss(sessionId);
          dialledSessions.end(sessionId);
          throw error;
        }
      }
      case 'session/dialled': {
        const { sessionId, dialled } = parseInput(nodeCommands['session/dialled'].params, params);
        if (!host.has(sessionId)) throw new RelayError('not_found', `The session ${sessionId} does not run here`);
        await dialledSessions.again(sessionId, dialled);
        return {};
      }
      case 'session/interrupt': {
        const { sessionId } = parseInput(nodeCommands['session/interrupt'].params, params);
        return { interrupted: await host.interrupt(sessionId) };
      }
      case 'session/resolve-approval': {
        const { sessionId, approvalId, ...answer } = parseInput(nodeCommands['session/resolve-approval'].params, params);
        return { resolved: await host.resolveApproval(sessionId, approvalId, asDecision(answer)) };
      }
      case 'session/close': {
        const { sessionId, reason } = parseInput(nodeCommands['session/close'].params, params);
        // One that has not got its tools yet is not with the host: it does not begin.
        if (!host.has(sessionId)) tools.dismiss(sessionId);
        await host.release(sessionId, reason);
        return {};
      }
      default:
        throw new RelayError('unknown_method', `A node has no method ${method.slice(0, 100)}`);
    }
  };
}

type Answer = Omit<MethodParams<'session/resolve-approval'>, 'sessionId' | 'approvalId'>;

/** A model reads what was said: whoever answers may not have it say more than what they are. */
function asDecision({ message, answers, ...decision }: Answer) {
  const inWords = answers && Object.entries(answers).map(([id, said]) => [id, said.map(escapeLookAlikes)]);
  return {
    ...decision,
    ...(message === undefined ? {} : { message: escapeLookAlikes(message) }),
    ...(inWords === undefined ? {} : { answers: Object.fromEntries(inWords) }),
  };
}
/** A program on another machine does not reach the door of this one: it has its tools at the relay, with the token of its session. */
const toolsFor = (door: McpEndpoint, token: string, dialled: Dialled | undefined): McpEndpoint =>
  dialled === undefined || dialled.relayUrl === null
    ? door
    : { name: door.name, url: new URL(MCP_PATH, dialled.relayUrl).href, headers: { authorization: `Bearer ${token}` } };
