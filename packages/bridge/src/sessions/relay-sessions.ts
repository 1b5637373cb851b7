import { randomUUID } from 'node:crypto';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient, findRelay, proxyOnTheWay } from 'agent-relay-client/node';
import { type RunningNode, runNode } from 'agent-relay-connect';
import { type AgentEvent, RelayError, type SandboxRequest } from 'agent-relay-protocol';
import type { AgentSession, Provider, StartOptions } from 'agent-relay-provider';
import { Bell, type Log, settlesWithin } from 'agent-relay-wire';
import type { FoundProvider, SessionRequest, SessionSource } from './session-source.ts';

export interface RelaySessionsOptions {
  readonly relay: { readonly url: string; readonly token?: string };
  readonly providers: readonly Provider[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly allowedEnvironment: readonly string[];
  readonly stateDir: string;
  /** What every agent is put in. */
  readonly sandbox: SandboxRequest;
  readonly sandboxRead: readonly string[];
  /** What the bridge is called among the machines of the relay. */
  readonly agentName: string;
  readonly log: Log;
  readonly now: () => number;
}

const attachMs = 30_000;

/** A session that was asked for here, until the relay has its node start it. */
interface Expected {
  readonly request: SessionRequest;
  readonly started: (session: AgentSession) => void;
}

interface Parts {
  readonly client: RelayClient;
  readonly node: RunningNode;
  readonly nodeId: string;
  readonly expected: Map<string, Expected>;
}

/**
 * Sessions that are agents of a relay. The bridge is a machine of it: it asks the relay for an agent on itself, the relay has it started here, and from then
 * on people and agents see and steer it like any other, while the bridge speaks to the same session directly. The machine starts nothing else.
 */
export class RelaySessions implements SessionSource {
  readonly #options: RelaySessionsOptions;
  readonly #parts: Parts;

  private constructor(options: RelaySessionsOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Resolves when the relay has taken this machine. @throws RelayError what the relay refuses it with, `timeout` when it is not there. */
  static async open(options: RelaySessionsOptions): Promise<RelaySessions> {
    const { relay, providers, env, allowedEnvironment, stateDir, agentName, sandbox, sandboxRead, log, now } = options;
    const found = await findRelay({ env, ...relay });
    const expected = new Map<string, Expected>();
    let nodeId = '';
    const attached = new Bell();
    const { token } = found;
    const warning = token === undefined || found.socketPath !== undefined ? null : proxyOnTheWay(found.url);
    if (warning !== null) log.warn('a proxy can read the token of this bridge', { reason: warning });
    const node = await runNode({
      ...{
        stateDir,
        log,
        env,
        allowedEnvironment,
        name: agentName,
        allowedFolders: [],
        clock: { now },
        hostLimits: { sandbox, sandboxRead },
      },
      url: new URL(found.url),
      ...(found.socketPath === undefined ? {} : { socketPath: found.socketPath, socketOwnerFile: found.socketOwnerFile }),
      readToken: async () => token ?? '',
      providers: providers.map((provider) => onlyExpected(provider, expected)),
      onStatus: (status) => {
        if (status.type !== 'attached') return;
        nodeId = status.nodeId;
        attached.ring();
      },
    });
    const end = node.ended.then((ended) => {
      if (ended.type === 'refused') log.error('the relay refused this bridge', { code: ended.error.code, reason: ended.error.message });
      return ended;
    });
    if (nodeId === '') await settlesWithin(Promise.race([attached.next(), end]), attachMs);
    if (nodeId === '') {
      await node.stop('The bridge did not start');
      const ended = await end;
      if (ended.type === 'refused') throw ended.error;
      throw new RelayError('timeout', `The relay at ${found.url} could not be reached`);
    }
    return new RelaySessions(options, { client: createNodeRelayClient(found), node, nodeId, expected });
  }

  get providers(): readonly string[] {
    return this.#options.providers.map(({ id }) => id);
  }

  async detect(): Promise<readonly FoundProvider[]> {
    const { nodeId, client } = this.#parts;
    const { data } = await client.nodes.list({});
    const mine = data.find((node) => node.nodeId === nodeId)?.providers ?? [];
    return mine.map(({ id, available, version, reason }) => ({
      id,
      found: available
        ? { available, version: version ?? 'unknown', command: id }
        : { available, reason: reason ?? `${id} is not installed` },
    }));
  }

  async hasAny(): Promise<boolean> {
    return (await this.detect()).some(({ found: { available } }) => available);
  }

  async start(request: SessionRequest): Promise<AgentSession> {
    if (request.extraArgs?.length) throw new RelayError('unsupported', 'Agents of a relay take no arguments of a client');
    const { client, nodeId, expected } = this.#parts;
    const { provider, cwd, mode, ask, model, projectId } = request;
    const name = nameOf(provider, projectId);
    let session: AgentSession | undefined;
    expected.set(name, {
      request,
      started: (started) => {
        session = started;
      },
    });
    try {
      const more = { ...(ask === undefined ? {} : { ask }), ...(model === undefined ? {} : { model }) };
      await client.sessions.start({ name, provider, cwd, mode, node: nodeId, approval: 'open', ...more });
    } finally {
      expected.delete(name);
    }
    if (!session) throw new RelayError('node_unavailable', 'The relay started the agent elsewhere');
    if (request.signal.aborted) await this.#release(name, session);
    request.signal.throwIfAborted();
    return releasing(session, () => this.#release(name, session));
  }

  async close(): Promise<void> {
    await this.#parts.node.stop('The bridge was stopped');
    await this.#parts.client.close();
  }

  /** Where the relay cannot be asked the agent is ended here all the same. */
  async #release(name: string, session: AgentSession | undefined): Promise<void> {
    await this.#parts.client.agents
      .release({ id: name })
      .catch((error: unknown) => this.#options.log.warn('the relay did not release an agent', { name, error }));
    await session?.close();
  }
}

function nameOf(provider: string, projectId: string | null): string {
  const project = (projectId ?? '').replace(/^[^A-Za-z0-9]+/u, '').slice(0, 64);
  return `${project === '' ? '' : `${project}-`}${provider}-${randomUUID().slice(0, 8)}`;
}

/** The provider as the relay's node has it: it starts what this bridge asked for, and hands it to both. */
function onlyExpected(provider: Provider, expected: ReadonlyMap<string, Expected>): Provider {
  return {
    id: provider.id,
    ...(provider.name === undefined ? {} : { name: provider.name }),
    ...(provider.environment === undefined ? {} : { environment: provider.environment }),
    ...(provider.abilities === undefined ? {} : { abilities: provider.abilities }),
    ...(provider.sandboxFiles === undefined ? {} : { sandboxFiles: (place) => provider.sandboxFiles?.(place) ?? {} }),
    ...(provider.resumes === undefined ? {} : { resumes: provider.resumes }),
    detect: (env) => provider.detect(env),
    close: () => provider.close(),
    start: async (options) => {
      const asked = expected.get(options.agentId);
      if (!asked) throw new RelayError('forbidden', 'This machine runs the sessions of a bridge, and no others');
      const session = await provider.start(optionsFor(options, asked.request, provider));
      const [mine, relays] = shared(session);
      asked.started(mine);
      return relays;
    },
  };
}

function optionsFor(options: StartOptions, request: SessionRequest, provider: Provider): StartOptions {
  return {
    ...options,
    instructions: [options.instructions, request.instructions].filter((text) => text !== '').join('\n\n'),
    whenUnread: 'wait',
    env: { ...options.env, ...request.env },
    ...(request.resume === undefined || provider.resumes !== true ? {} : { resume: request.resume }),
  };
}

/** One session for two readers: the second reads, and hands each event to the first before it goes on. */
function shared(session: AgentSession): readonly [AgentSession, AgentSession] {
  const handed: AgentEvent[] = [];
  const news = new Bell();
  const taken = new Bell();
  const reader = { isLeft: false, isOver: false };
  async function* first(): AsyncGenerator<AgentEvent, void, undefined> {
    try {
      for (;;) {
        const event = handed.shift();
        if (event === undefined) {
          if (reader.isOver) return;
          await news.next();
          continue;
        }
        yield event;
        taken.ring();
      }
    } finally {
      reader.isLeft = true;
      taken.ring();
    }
  }
  async function* second(): AsyncGenerator<AgentEvent, void, undefined> {
    try {
      for await (const event of session.events) {
        if (!reader.isLeft) {
          handed.push(event);
          news.ring();
        }
        yield event;
        while (handed.length > mostHanded && !reader.isLeft) await taken.next();
      }
    } finally {
      reader.isOver = true;
      news.ring();
    }
  }
  return [withEvents(session, first()), withEvents(session, second())];
}

/** Events that one reader may be behind the other. */
const mostHanded = 64;

function withEvents(session: AgentSession, events: AsyncIterable<AgentEvent>): AgentSession {
  return {
    get vendorSessionId() {
      return session.vendorSessionId;
    },
    get model() {
      return session.model;
    },
    events,
    prompt: (input, options) => session.prompt(input, options),
    interrupt: () => session.interrupt(),
    ...(session.resolveApproval
      ? { resolveApproval: (id, decision) => session.resolveApproval?.(id, decision) ?? Promise.resolve(false) }
      : {}),
    close: () => session.close(),
  };
}

function releasing(session: AgentSession, release: () => Promise<void>): AgentSession {
  let closing: Promise<void> | undefined;
  return {
    ...withEvents(session, session.events),
    get vendorSessionId() {
      return session.vendorSessionId;
    },
    get model() {
      return session.model;
    },
    close: () => {
      closing ??= release();
      return closing;
    },
  };
}
