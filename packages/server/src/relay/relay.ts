import { DEFAULT_WORKSPACE, RelayError, type Scope } from 'agent-relay-protocol';
import type { Clock } from '../clock.ts';
import { watchedIn } from '../domain/act-as.ts';
import { maySeeApprovals } from '../domain/approval.ts';
import { EventFeed } from '../events/event-feed.ts';
import type { Logger } from '../logger.ts';
import type { Store } from '../store/store.ts';
import { actsAsOwner, assertAccess } from './access/access.ts';
import { Readers } from './access/readers.ts';
import { agentRoutes } from './agents/agent-routes.ts';
import { AgentRegistry } from './agents/agents.ts';
import { Presence } from './agents/presence.ts';
import type { CallbackSender } from './callbacks/callback-request.ts';
import { Callbacks } from './callbacks/callbacks.ts';
import { livingHandlers, livingNodeHandlers, openLiving } from './calls/living-calls.ts';
import { openPresent, presentHandlers } from './calls/present-calls.ts';
import { namedHandlers, ReservedNames } from './calls/reserved-names.ts';
import { Channels } from './channels/channels.ts';
import type { IntegrationSettings } from './contract/integration-settings.ts';
import type { CallContext, Relay, RelayHandlers } from './contract/relay-contract.ts';
import type { RelaySettings } from './contract/relay-settings.ts';
import { LoopGuard } from './guard/loop-guard.ts';
import { Holds } from './holds/holds.ts';
import { inboxRoutes } from './mail/inbox-routes.ts';
import { Inboxes } from './mail/inboxes.ts';
import { messageRoutes } from './mail/message-routes.ts';
import { Messages } from './mail/messages.ts';
import { Receipts } from './mail/receipts.ts';
import { ToolMail } from './mail/tool-mail.ts';
import { Pairs } from './pairs/pairs.ts';
import type { RelayCore, SessionsPart } from './relay-core.ts';
import { claimWaits, gatherFigures } from './system/figures.ts';
import { type SystemRoutesDeps, systemRoutes } from './system/system-routes.ts';
import { taskReports } from './tasks/task-reports.ts';
import { taskRoutes } from './tasks/tasks.ts';
import { tokenRoutes } from './tokens/token-routes.ts';
import { Tokens } from './tokens/tokens.ts';
import { Reaper } from './upkeep/reaper.ts';
import { claimRoutes } from './work/claims.ts';
import { verificationRoutes } from './work/verifications.ts';

export interface RelayDeps {
  /** The relay closes it. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: RelaySettings;
  /** Tokens that stand for the owner, e.g. the owner credential and AGENT_RELAY_TOKEN. */
  readonly ownerTokens?: readonly string[];
  /** The systems outside that may create work. */
  readonly integrations?: readonly IntegrationSettings[];
  /** Carries callbacks out; without one they wait. `random` spreads their retries. */
  readonly callbacks?: { readonly sender: CallbackSender; readonly random: () => number };
  /** What `system/health` asks about this installation beside the relay's own parts, by name. */
  readonly probes?: SystemRoutesDeps['probes'];
  /** Makes the part that runs agents on machines; without one the relay has none. */
  readonly createSessions?: (core: RelayCore) => SessionsPart | Promise<SessionsPart>;
}

/** The relay, and what its composition root needs beside the transports' view of it. */
export interface RunningRelay extends Relay {
  readonly core: RelayCore;
  /** One round of the reaper, now. */
  reap(): Promise<void>;
}

/** Puts the parts together, makes the built-in addresses and starts the reaper. */
export async function createRelay(deps: RelayDeps): Promise<RunningRelay> {
  const { store, clock, log, settings, ownerTokens = [], integrations = [], createSessions } = deps;
  const feed = new EventFeed({ store, log });
  const tokens = new Tokens({ store, clock, ownerTokens, integrations });
  const inboxes = new Inboxes({ store, feed, clock, log, settings });
  const toolMail = new ToolMail({ store, clock, inboxes });
  const readers = new Readers({ store, integrations });
  const receipts = new Receipts({ store, feed, clock });
  const agents = new AgentRegistry({ store, clock, settings, tokens, inboxes });
  const presence = new Presence({ store, clock, log, settings, agents });
  const guard = new LoopGuard(clock, settings.guard);
  store.onTurn(guard);
  const core: RelayCore = { store, feed, clock, log, settings, tokens, agents, inboxes, toolMail, guard };
  store.agents.index.reserve(
    DEFAULT_WORKSPACE,
    integrations.map(({ name }) => name),
  );
  await agents.ensureBuiltIn(DEFAULT_WORKSPACE);
  const sessions = createSessions ? await createSessions(core) : withoutSessions;
  const callbacks = new Callbacks({ store, clock, log, integrations, ...deps.callbacks });
  const sweepMore = async (now: number) => {
    await tokens.sweep(now);
    await sessions.sweep(now);
    await callbacks.sweep(now);
    if (settings.retentionMs !== null) await holds.prune(now - settings.retentionMs);
  };
  const reaper = new Reaper({ store, clock, log, settings, agents, inboxes, presence, sweepMore });
  const messages = new Messages({ store, clock, inboxes, receipts, guard, readers, expiresAt: (at) => reaper.messageExpiresAt(at) });
  const holds = new Holds({ store, clock, guard, messages, inboxes, readers });
  const inbox = inboxRoutes({ store, clock, inboxes });
  const { handlers: sessionHandlers, nodeHandlers, nodeLive, nodeDetached, openActivity } = sessions;
  const waits = claimWaits();
  const claims = claimRoutes({ store, clock, settings, leaseEndsAt: (at) => reaper.leaseEndsAt(at), waits, readers, inboxes });
  clock.onMoved?.((byMs) => reaper.timeMoved(byMs));
  reaper.start();
  callbacks.start();

  let closing: Promise<void> | null = null;
  const close = async () => {
    clock.close?.();
    await reaper.close();
    await callbacks.close();
    await sessions.close();
    tokens.lives.close();
    await presence.close();
    receipts.close();
    feed.close();
    await inboxes.close().catch((error: unknown) => log.warn('the last receipts could not be written', { error: String(error) }));
    await store.close();
  };

  const { lives } = tokens;
  /** A stream needs its scope, and lives no longer than the token it was opened with. */
  const open = <Batch, Stream extends { readonly batches: AsyncIterable<Batch> }>(
    scope: Scope,
    context: CallContext,
    opened: (context: CallContext) => Promise<Stream>,
    mayStill?: () => void,
  ): Promise<Stream> => {
    assertAccess({ scope, anonymous: true }, context.principal);
    return openLiving<Batch, Stream>(context, lives, opened, mayStill);
  };

  const offered = (await store.nodes.list(DEFAULT_WORKSPACE)).flatMap(({ providers }) => providers.map(({ id }) => id));
  const reserved = new ReservedNames([...integrations.map(({ name }) => name), ...offered]);
  const handlers: RelayHandlers = {
    ...tokenRoutes({ store, clock, log, tokens, inboxes }),
    ...systemRoutes({ store, clock, tokens, sessions, feed, probes: deps.probes ?? {} }),
    ...agentRoutes({ store, agents }),
    ...messageRoutes({ store, clock, messages, receipts, inboxes, readers }),
    ...verificationRoutes({ store, readers }),
    ...holds.handlers,
    ...inbox.handlers,
    ...claims,
    ...taskRoutes({ store, clock, claim: claims['messages/claim'], readers, inboxes }),
    ...taskReports({ store, clock, integrations, reportsPerMinute: settings.reportsPerMinute }),
    ...callbacks.handlers,
    ...new Pairs({ store, clock, messages, readers }).handlers,
    ...new Channels({ store, clock, messages, inboxes, guard, readers }).handlers,
    ...sessionHandlers,
  };

  return {
    core,
    generation: store.log.generation,
    handlers: livingHandlers(namedHandlers(presentHandlers(handlers, presence), reserved, store.agents.index), lives),
    nodeHandlers: livingNodeHandlers(
      {
        ...nodeHandlers,
        'nodes/attach': (params, context) => {
          for (const { id } of params.providers) reserved.add(id);
          return nodeHandlers['nodes/attach'](params, context);
        },
      },
      lives,
    ),
    nodeLive: (params, context) => {
      lives.assertLive(context.principal);
      nodeLive(params, context);
    },
    nodeDetached,
    openActivity: async (params, context) => open('events:read', context, (living) => openActivity(params, living)),
    toolMail,
    authenticate: (token, as) => tokens.authenticate(token, as),
    figures: () => gatherFigures({ store, feed, sessions, claimWaitSeconds: waits }),
    assertLive: (principal) => lives.assertLive(principal),
    endOf: (principal) => lives.endOf(principal),
    asNode: (principal, nodeId) => lives.inherit({ type: 'node', workspace: principal.workspace, nodeId }, principal),
    exchangeLoginCode: (code) => tokens.exchangeLoginCode(code),
    endSession: (token) => tokens.endSession(token),
    openEvents: async (filter, context) =>
      open('events:read', context, async ({ principal, signal }) => {
        const { workspace } = principal;
        const seesApprovalsOf = (agentId: string) => maySeeApprovals(principal, watchedIn(store.agents.index.in(workspace), agentId));
        const { reading: _reading, ...rights } = readers.of(principal);
        return feed.open({ workspace, ...rights, seesTokens: actsAsOwner(principal), seesApprovalsOf }, filter, signal);
      }),
    openInbox: async (params, context) =>
      open('messages:read', context, (living) => openPresent(params, living, presence, () => inbox.openInbox(params, living))),
    reap: () => reaper.reap(),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

const noSessions = (): never => {
  throw new RelayError('node_unavailable', 'This relay runs no agents');
};

/** A relay that only carries messages. */
const withoutSessions: SessionsPart = {
  handlers: {
    'sessions/start': noSessions,
    'sessions/list': () => ({ data: [], cursor: 0 }),
    'sessions/get': ({ sessionId }) => {
      throw new RelayError('not_found', `There is no session ${sessionId}`);
    },
    'nodes/list': () => ({ data: [], cursor: 0 }),
    'approvals/list': () => ({ data: [], cursor: 0 }),
    'approvals/resolve': noSessions,
    'agents/interrupt': noSessions,
    'agents/release': noSessions,
    'agents/activity': () => ({ data: [], cursor: 0 }),
  },
  nodeHandlers: {
    'nodes/attach': noSessions,
    'nodes/heartbeat': noSessions,
    'sessions/report': noSessions,
    'activity/append': noSessions,
  },
  nodeLive: () => {},
  nodeDetached: () => {},
  openActivity: noSessions,
  counts: async () => ({ runningSessions: 0, nodes: 0, onlineNodes: 0 }),
  sweep: async () => {},
  close: async () => {},
};
