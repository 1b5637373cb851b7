import type { AnswerLimit, Host, OwnerLimits, SessionIdentity, StartedSession } from 'agent-relay-host';
import {
  type Dialled,
  loosely,
  MCP_PATH,
  type MethodParams,
  messageOf,
  type NodeHooks,
  nodeCommands,
  parseInput,
  RelayError,
  type Session,
  SessionSchema,
  type SpawnerKind,
} from 'agent-relay-protocol';
import type { McpEndpoint } from 'agent-relay-provider';
import { escapeLookAlikes } from 'agent-relay-wire';
import type { z } from 'zod';
import type { DialledSessions } from './dialled-sessions.ts';
import type { KeptStart } from './kept-start.ts';
import type { Owner } from './owner/owner.ts';
import type { ToolDoor } from './tool-door.ts';

/** What the agent may do is said in words of this version, or it is not started. */
const StartSchema = nodeCommands['session/start'].params.extend({ session: loosely(SessionSchema) });

export interface NodeCommandsOptions {
  readonly host: Pick<Host, 'detectOne' | 'has' | 'load' | 'running' | 'start' | 'interrupt' | 'resolveApproval' | 'release' | 'testHook'>;
  readonly tools: Pick<ToolDoor, 'admit' | 'has' | 'dismiss'>;
  readonly dialledSessions: Pick<DialledSessions, 'begin' | 'again' | 'end'>;
  readonly owner: Owner;
  /** Whether it is this machine itself that asks for that start, because its owner has it keep the agent. */
  readonly isKept: (start: KeptStart) => boolean;
  readonly hooks: () => NodeHooks;
  /** Where this machine's agents find the relay. */
  readonly url: URL;
  readonly onStarted: (session: SessionIdentity & Pick<Session, 'provider' | 'target'>) => void;
}

/** Does what the relay asks of this machine. */
export function nodeCommandHandler(options: NodeCommandsOptions): (method: string, params: unknown) => Promise<unknown> {
  const { host, tools, dialledSessions, owner, hooks } = options;
  const starts = new SessionStarts(options);
  return async (method, params) => {
    switch (method) {
      case 'provider/detect': {
        const { id } = parseInput(nodeCommands['provider/detect'].params, params);
        const terms = await owner.terms();
        return terms.offered([await host.detectOne(id)])[0];
      }
      case 'session/start':
        return starts.start(parseInput(StartSchema, params));
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
        const limit = await answerLimit(owner);
        return { resolved: await host.resolveApproval({ sessionId, approvalId, limit }, asDecision(answer)) };
      }
      case 'session/close': {
        const { sessionId, reason } = parseInput(nodeCommands['session/close'].params, params);
        // One that has not got its tools yet is not with the host: it does not begin.
        if (!host.has(sessionId)) {
          starts.forget(sessionId);
          tools.dismiss(sessionId);
        }
        await host.release(sessionId, reason);
        return {};
      }
      case 'hooks/describe':
        return hooks();
      case 'hooks/test': {
        const { name, fields } = parseInput(nodeCommands['hooks/test'].params, params);
        return host.testHook(name, fields);
      }
      default:
        throw new RelayError('unknown_method', `A node has no method ${method.slice(0, 100)}`);
    }
  };
}

/** Starts what the owner of this machine allows. */
class SessionStarts {
  readonly #options: NodeCommandsOptions;
  /** Asked for, and not ended since. */
  readonly #asked = new Set<string>();
  /** Admitted, and not with the host yet. */
  readonly #admitted = new Set<string>();

  constructor(options: NodeCommandsOptions) {
    this.#options = options;
  }

  async start({ token, dialled, ...request }: z.output<typeof StartSchema>): Promise<StartedSession> {
    const { host, tools, dialledSessions, url, onStarted } = this.#options;
    const { sessionId } = request.session;
    this.#asked.add(sessionId);
    try {
      const limits = await this.#admit({ ...request, dialled });
      if (!this.#asked.has(sessionId)) throw new RelayError('gone', 'The session was ended before its agent was started');
      const mcp = [toolsFor(await tools.admit(sessionId, token, { isDialled: dialled !== undefined }), token, dialled)];
      if (!tools.has(sessionId)) throw new RelayError('gone', 'The session was ended before its agent was started');
      const dialIn = dialled && (await dialledSessions.begin(sessionId, dialled));
      const { instanceId, target } = request.session;
      const agentAccess = target === 'background' ? { url: url.href, token, instanceId } : undefined;
      const started = await host.start({ ...request, mcp, dialIn, agentAccess, owner: limits });
      onStarted(request.session);
      return started;
    } catch (error) {
      tools.dismiss(sessionId);
      dialledSessions.end(sessionId);
      throw error;
    } finally {
      this.#asked.delete(sessionId);
      this.#admitted.delete(sessionId);
    }
  }

  /** It was ended before it was with the host. */
  forget(sessionId: string): void {
    this.#asked.delete(sessionId);
  }

  async #admit(start: KeptStart): Promise<OwnerLimits> {
    const { host, owner, isKept } = this.#options;
    const { session, mode, approval, cwd, within, dialled } = start;
    const { sessionId, provider, spawnedBy, target } = session;
    const terms = await owner.terms();
    const isDialled = dialled !== undefined;
    const waiting = [...this.#admitted].filter((id) => !host.has(id)).length;
    const running = host.load + waiting;
    const spawner = isKept(start) ? 'machine' : spawnerKind(spawnedBy, host.running);
    const limits = terms.admit({
      ...{ provider, mode, approval, cwd, within, isDialled, running, spawner },
      isBackground: target === 'background',
    });
    // Before anything is waited for: two that come together are not both the last that fits.
    this.#admitted.add(sessionId);
    return limits;
  }
}

/** Who asks is the relay's word; that an agent of this machine does is seen here. */
function spawnerKind(spawnedBy: string | null, running: Host['running']): SpawnerKind {
  if (spawnedBy === null) return 'owner';
  return running.some(({ agentId }) => agentId === spawnedBy) ? 'own-agents' : 'other-agents';
}

/** Of a file that cannot be read as it is a no is left. */
const answerLimit = (owner: Owner): Promise<AnswerLimit | undefined> =>
  owner.terms().then(
    ({ answers }) => answers,
    (error: unknown) => ({ upTo: 'none', because: messageOf(error) }),
  );

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
