import { asText, type Node, type Principal, principalName, RelayError, type RouteOutput } from 'agent-relay-protocol';
import type { Clock } from '../clock.ts';
import { watchedIn } from '../domain/act-as.ts';
import { maySeeApprovals } from '../domain/approval.ts';
import type { Histogram } from '../domain/histogram.ts';
import { EventFeed } from '../events/event-feed.ts';
import type { Logger } from '../logger.ts';
import type { Store } from '../store/store.ts';
import { type Access, actsAsOwner, assertAccess, guardedHandlers } from './access/access.ts';
import { Readers } from './access/readers.ts';
import { agentHandlers } from './agents/agent-routes.ts';
import { AgentRegistry } from './agents/agents.ts';
import { Presence } from './agents/presence.ts';
import { auditedHandlers, auditHandlers } from './audit/audit.ts';
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
import { hookHandlers } from './hooks/hook-handlers.ts';
import { RelayHooks, type RelayHooksFile } from './hooks/relay-hooks.ts';
import { type InboxRoutes, inboxHandlers } from './mail/inbox-routes.ts';
import { Inboxes } from './mail/inboxes.ts';
import { messageHandlers } from './mail/message-routes.ts';
import { Messages } from './mail/messages.ts';
import { Receipts } from './mail/receipts.ts';
import { ToolMail } from './mail/tool-mail.ts';
import type { PostSender } from './outbound/post-request.ts';
import { Pairs } from './pairs/pairs.ts';
import type { RelayCore, SessionsPart } from './relay-core.ts';
import { searchHandlers } from './search/search.ts';
import { SearchIndexer } from './search/search-indexer.ts';
import { shareHandlers } from './shares/shares.ts';
import { claimWaits, gatherFigures } from './system/figures.ts';
import { type SystemRoutesDeps, systemHandlers } from './system/system-routes.ts';
import { taskReports } from './tasks/task-reports.ts';
import { taskHandlers } from './tasks/tasks.ts';
import { tokenHandlers } from './tokens/token-routes.ts';
import { Tokens } from './tokens/tokens.ts';
import { Reaper } from './upkeep/reaper.ts';
import { usageHandlers } from './usage/usage.ts';
import { claimHandlers } from './work/claims.ts';
import { verificationHandlers } from './work/verifications.ts';

/** Rows a write: what shares its turn waits for it. */
const PRUNE_BATCH = 100;

export interface RelayDeps {
  /** The relay closes it. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: RelaySettings;
  /** Whose the owner's tokens, the integrations and the callers without a token are. */
  readonly workspace: string;
  /** Tokens that stand for the owner, e.g. the owner credential and AGENT_RELAY_TOKEN. */
  readonly ownerTokens?: readonly string[];
  /** The systems outside that may create work. */
  readonly integrations?: readonly IntegrationSettings[];
  /** Carries callbacks out; without one they wait. `random` spreads their retries. */
  readonly callbacks?: { readonly sender: PostSender; readonly random: () => number };
  /** What the relay itself does when something happens; without it nothing. */
  readonly hooksFile?: RelayHooksFile;
  /** What `system/settings` tells of this installation; nothing where it is left out. */
  readonly configuration?: RouteOutput<'system/settings'>;
  /** What `system/health` asks about this installation beside the relay's own parts, by name. */
  readonly probes?: SystemRoutesDeps['probes'];
  /** Makes the part that runs agents on machines; without one the relay has none. */
  readonly createSessions?: (core: RelayCore) => SessionsPart | Promise<SessionsPart>;
}

/** The relay, and what its composition root needs beside the transports' view of it. */
export interface StartedRelay extends Relay {
  readonly core: RelayCore;
  /** One round of the reaper, now, to the end of all that it begins. */
  reap(): Promise<void>;
}

/** What a relay is made of, and what its parts share. */
interface Parts {
  readonly core: RelayCore;
  readonly presence: Presence;
  readonly readers: Readers;
  readonly receipts: Receipts;
  readonly messages: Messages;
  readonly holds: Holds;
  readonly inbox: InboxRoutes;
  readonly sessions: SessionsPart;
  readonly callbacks: Callbacks;
  readonly hooks: RelayHooks;
  readonly indexer: SearchIndexer;
  readonly reaper: Reaper;
  readonly waits: Histogram;
  readonly reserved: ReservedNames;
}

/** Puts the parts together, makes the built-in addresses and starts the reaper. */
export async function createRelay(deps: RelayDeps): Promise<StartedRelay> {
  const parts = await makeParts(deps);
  const { core, presence, reserved, reaper, callbacks, hooks, indexer, sessions, waits } = parts;
  const { store, feed, clock, tokens, toolMail } = core;
  clock.onMoved?.((byMs) => reaper.timeMoved(byMs));
  reaper.start();
  callbacks.start();
  hooks.start();
  store.onTurn({ committed: indexer.ring, rolledBack: () => {} });
  // An older program may have left some.
  indexer.ring();
  let closing: Promise<void> | null = null;
  return {
    core,
    workspace: deps.workspace,
    generation: store.log.generation,
    // Outermost: nobody outside has a handler that does not ask first.
    handlers: guardedHandlers(
      livingHandlers(namedHandlers(presentHandlers(auditedOf(deps, parts), presence), reserved, store.agents.index), tokens.lives),
    ),
    ...nodeDoors(parts),
    ...streamsOf(parts),
    ...principalsOf(tokens, sessions),
    pairings: sessions.pairings,
    dialIns: sessions.dialIns,
    toolMail,
    figures: () => gatherFigures({ store, feed, sessions, claimWaitSeconds: waits }),
    reap: async () => {
      await reaper.reap();
      await sessions.settled();
    },
    close: () => {
      closing ??= closeParts(parts);
      return closing;
    },
  };
}

async function makeParts(deps: RelayDeps): Promise<Parts> {
  const { store, clock, log, settings, workspace, integrations = [], createSessions } = deps;
  const core = makeCore(deps);
  const { tokens, inboxes, agents, guard, feed } = core;
  const readers = new Readers({ store, integrations });
  const receipts = new Receipts({ store, feed, clock });
  const presence = new Presence({ store, clock, log, settings, agents });
  const names = integrations.map(({ name }) => name);
  store.agents.index.reserve(workspace, names);
  await agents.ensureBuiltIn(workspace);
  const sessions = createSessions ? await createSessions(core) : withoutSessions;
  const callbacks = new Callbacks({ store, clock, log, workspace, integrations, ...deps.callbacks });
  const sweepMore = async (now: number) => {
    await tokens.sweep(now);
    await sessions.sweep(now);
    await callbacks.sweep(now);
    while ((await store.audit.prune(now - settings.auditRetentionMs, PRUNE_BATCH)) === PRUNE_BATCH);
    await store.usage.prune(new Date(now - settings.usageRetentionMs).toISOString().slice(0, 10));
    if (settings.retentionMs !== null) await holds.prune(now - settings.retentionMs);
  };
  const reaper = new Reaper({ store, clock, log, settings, agents, inboxes, presence, sweepMore });
  const messages = new Messages({ store, clock, inboxes, receipts, guard, readers, expiresAt: (at) => reaper.messageExpiresAt(at) });
  const holds = new Holds({ store, clock, guard, messages, inboxes, readers });
  const hooks = makeHooks(deps, core, { messages, readers });
  const inbox = inboxHandlers({ store, clock, inboxes });
  const reserved = new ReservedNames(names);
  for (const node of await store.nodes.list(workspace)) reserved.offer(node.nodeId, kindsOf(node));
  const indexer = new SearchIndexer({ store, clock, log });
  return {
    core,
    presence,
    readers,
    receipts,
    messages,
    holds,
    inbox,
    sessions,
    callbacks,
    hooks,
    indexer,
    reaper,
    reserved,
    waits: claimWaits(),
  };
}

function makeCore({ store, clock, log, settings, workspace, ownerTokens = [], integrations = [] }: RelayDeps): RelayCore {
  const feed = new EventFeed({ store, log });
  const tokens = new Tokens({ store, clock, workspace, ownerTokens, integrations });
  const inboxes = new Inboxes({ store, feed, clock, log, settings });
  const toolMail = new ToolMail({ store, clock, inboxes });
  const agents = new AgentRegistry({ store, clock, settings, tokens, inboxes });
  const guard = new LoopGuard(clock, settings.guard);
  store.onTurn(guard);
  return { store, feed, clock, log, settings, tokens, agents, inboxes, toolMail, guard };
}

function makeHooks(deps: RelayDeps, { feed, ...core }: RelayCore, { messages, readers }: Pick<Parts, 'messages' | 'readers'>): RelayHooks {
  const { workspace, callbacks, hooksFile: file = { current: [], state: { file: null, fault: null } } } = deps;
  const follow = (principal: Principal, signal: AbortSignal) => {
    const { reading: _reading, ...rights } = readers.of(principal);
    const reader = { workspace, caller: principalName(principal), ...rights, seesTokens: true, seesApprovalsOf: () => true };
    return feed.open(reader, {}, { signal });
  };
  return new RelayHooks({ ...core, workspace, messages, file, sender: callbacks?.sender, follow });
}

/** In the opposite order: what writes ends before the store does. */
async function closeParts({ core, reaper, callbacks, hooks, indexer, sessions, presence, receipts }: Parts): Promise<void> {
  const { clock, tokens, feed, inboxes, log, store } = core;
  clock.close?.();
  indexer.close();
  await reaper.close();
  await hooks.close();
  await callbacks.close();
  await sessions.close();
  tokens.lives.close();
  await presence.close();
  receipts.close();
  feed.close();
  await inboxes.close().catch((error: unknown) => log.warn('the last receipts could not be written', { error: asText(error) }));
  await store.close();
}

const auditedOf = (deps: RelayDeps, parts: Parts): RelayHandlers => {
  const { store, clock, tokens } = parts.core;
  return auditedHandlers(handlersOf(deps, parts), { store, clock, tokenIdOf: (principal) => tokens.lives.tokenIdOf(principal) });
};

function handlersOf(deps: RelayDeps, parts: Parts): RelayHandlers {
  const { integrations = [], probes = {}, configuration = { envFile: null, settings: [] } } = deps;
  const { core, readers, receipts, messages, holds, inbox, sessions, callbacks, hooks, indexer, reaper, reserved, waits } = parts;
  const { store, feed, clock, log, settings, tokens, agents, inboxes, guard } = core;
  const claims = claimHandlers({ store, clock, settings, leaseEndsAt: (at) => reaper.leaseEndsAt(at), waits, readers, inboxes });
  const ofAgents = agentHandlers({ store, agents });
  return {
    ...tokenHandlers({ store, clock, log, tokens, inboxes }),
    ...shareHandlers({ store, clock, log, tokens }),
    ...systemHandlers({ store, clock, tokens, sessions, feed, probes, configuration }),
    ...ofAgents,
    ...messageHandlers({ store, clock, messages, receipts, inboxes, readers }),
    ...verificationHandlers({ store, readers }),
    ...holds.handlers,
    ...inbox.handlers,
    ...claims,
    ...taskHandlers({ store, clock, claim: claims['messages/claim'], readers, inboxes }),
    ...taskReports({ store, clock, integrations, reportsPerMinute: settings.reportsPerMinute }),
    ...callbacks.handlers,
    ...new Pairs({ store, clock, messages, guard, readers }).handlers,
    ...new Channels({ store, clock, messages, inboxes, guard, readers }).handlers,
    ...auditHandlers({ store }),
    ...usageHandlers({ store }),
    ...searchHandlers({ store, clock, readers, indexer }),
    ...sessions.handlers,
    ...hookHandlers(hooks, sessions.handlers),
    'agents/remove': async (input, context) => {
      const removed = await ofAgents['agents/remove'](input, context);
      await sessions.stopWaking(context.principal.workspace, input.id);
      return removed;
    },
    'nodes/remove': async (input, context) => {
      const removed = await sessions.handlers['nodes/remove'](input, context);
      reserved.offer(removed.nodeId, []);
      return removed;
    },
  };
}

/** What machines call: a kind of agent that one offers is a name that means something from then on. */
function nodeDoors({ core, sessions, reserved }: Parts): Pick<Relay, 'nodeHandlers' | 'nodeLive' | 'nodeDetached'> {
  const { lives } = core.tokens;
  const { nodeHandlers, nodeLive, nodeDetached } = sessions;
  return {
    nodeHandlers: livingNodeHandlers(
      {
        ...nodeHandlers,
        'nodes/attach': async (params, context) => {
          const attached = await nodeHandlers['nodes/attach'](params, context);
          reserved.offer(attached.nodeId, kindsOf(params));
          return attached;
        },
        'nodes/heartbeat': async (params, context) => {
          const answer = await nodeHandlers['nodes/heartbeat'](params, context);
          const { principal } = context;
          if (params.offer && principal.type === 'node') reserved.offer(principal.nodeId, kindsOf(params.offer));
          return answer;
        },
      },
      lives,
    ),
    nodeLive: (params, context) => {
      lives.assertLive(context.principal);
      nodeLive(params, context);
    },
    nodeDetached,
  };
}

const kindsOf = ({ providers }: Pick<Node, 'providers'>): readonly string[] => providers.map(({ id }) => id);

/** A stream needs its scope, and lives no longer than the token it was opened with. */
function streamsOf({ core, readers, sessions, presence, inbox }: Parts): Pick<Relay, 'openActivity' | 'openEvents' | 'openInbox'> {
  const { store, feed, tokens } = core;
  const open = <Batch, Stream extends { readonly batches: AsyncIterable<Batch> }>(
    access: Pick<Access, 'scope' | 'shared'>,
    context: CallContext,
    opened: (context: CallContext) => Promise<Stream>,
    mayStill?: () => void,
  ): Promise<Stream> => {
    assertAccess({ ...access, anonymous: true }, context.principal);
    return openLiving<Batch, Stream>(context, tokens.lives, opened, mayStill);
  };
  return {
    openActivity: async (params, context) =>
      open({ scope: 'events:read', shared: true }, context, (living) => sessions.openActivity(params, living)),
    openEvents: async (filter, context) =>
      open({ scope: 'events:read' }, context, async ({ principal, signal, turn }) => {
        const { workspace } = principal;
        const seesApprovalsOf = (agentId: string | null) =>
          maySeeApprovals(principal, agentId === null ? null : watchedIn(store.agents.index.in(workspace), agentId));
        const { reading: _reading, ...rights } = readers.of(principal);
        const reader = { workspace, caller: principalName(principal), ...rights, seesTokens: actsAsOwner(principal), seesApprovalsOf };
        return feed.open(reader, filter, { signal, turn });
      }),
    openInbox: async (params, context) =>
      open({ scope: 'messages:read' }, context, (living) => openPresent(params, living, presence, () => inbox.openInbox(params, living))),
  };
}

function principalsOf(
  tokens: Tokens,
  { pairings }: Pick<SessionsPart, 'pairings'>,
): Pick<Relay, 'authenticate' | 'assertLive' | 'endOf' | 'asNode' | 'exchangeLoginCode' | 'endSession'> {
  const { lives } = tokens;
  return {
    authenticate: async (token, as) => {
      const principal = await tokens.authenticate(token, as);
      if (principal?.type === 'node') pairings.forget(principal.nodeId);
      return principal;
    },
    assertLive: (principal) => lives.assertLive(principal),
    endOf: (principal) => lives.endOf(principal),
    asNode: (principal, nodeId) => lives.inherit({ type: 'node', workspace: principal.workspace, nodeId }, principal),
    exchangeLoginCode: (code) => tokens.exchangeLoginCode(code),
    endSession: (token) => tokens.endSession(token),
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
    'sessions/get': ({ id }) => {
      throw new RelayError('not_found', `There is no session ${id}`);
    },
    'sessions/invite': noSessions,
    'nodes/list': () => ({ data: [], cursor: 0 }),
    'nodes/pairings': () => ({ data: [], cursor: 0 }),
    'nodes/pair': noSessions,
    'nodes/rename': noSessions,
    'nodes/remove': noSessions,
    'approvals/list': () => ({ data: [], cursor: 0 }),
    'approvals/resolve': noSessions,
    'rules/list': () => ({ data: [], cursor: 0 }),
    'rules/create': noSessions,
    'rules/revoke': noSessions,
    'approvals/ask': noSessions,
    'approvals/withdraw': noSessions,
    'agents/interrupt': noSessions,
    'agents/release': noSessions,
    'agents/activity': () => ({ data: [], cursor: 0 }),
    'hooks/describe': () => ({ hooks: [], sources: [] }),
    'hooks/test': noSessions,
    'reservations/list': () => ({ data: [], cursor: 0 }),
    'reservations/check': () => ({ holder: null, reason: null }),
    'reservations/create': noSessions,
    'reservations/renew': noSessions,
    'reservations/release': noSessions,
  },
  nodeHandlers: {
    'nodes/attach': noSessions,
    'nodes/heartbeat': noSessions,
    'sessions/report': noSessions,
    'activity/append': noSessions,
  },
  nodeLive: () => {},
  nodeDetached: () => {},
  dialIns: { open: noSessions, end: async () => {} },
  pairings: { request: noSessions, outcome: noSessions, forget: () => {} },
  openActivity: noSessions,
  counts: async () => ({ runningSessions: 0, nodes: 0, onlineNodes: 0 }),
  sweep: async () => {},
  settled: async () => {},
  stopWaking: async () => {},
  close: async () => {},
};
