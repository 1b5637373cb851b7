import { asText, type Principal } from 'agent-relay-protocol';
import type { Histogram } from '../domain/histogram.ts';
import { EventFeed } from '../events/event-feed.ts';
import { logReaderOf } from './access/log-reader.ts';
import { Readers } from './access/readers.ts';
import { AgentRegistry } from './agents/agents.ts';
import { Presence } from './agents/presence.ts';
import { Callbacks } from './callbacks/callbacks.ts';
import { kindsOf, ReservedNames } from './calls/reserved-names.ts';
import { LoopGuard } from './guard/loop-guard.ts';
import { Holds } from './holds/holds.ts';
import { RelayHooks } from './hooks/relay-hooks.ts';
import { type InboxRoutes, inboxHandlers } from './mail/inbox-routes.ts';
import { Inboxes } from './mail/inboxes.ts';
import { Messages } from './mail/messages.ts';
import { Receipts } from './mail/receipts.ts';
import { ToolMail } from './mail/tool-mail.ts';
import { Pushes } from './push/pushes.ts';
import type { RelayCore, SessionsPart } from './relay-core.ts';
import type { RelayDeps } from './relay-deps.ts';
import { SearchIndexer } from './search/search-indexer.ts';
import { claimWaits } from './system/figures.ts';
import { Tokens } from './tokens/tokens.ts';
import { Reaper } from './upkeep/reaper.ts';
import { withoutSessions } from './without-sessions.ts';

/** Rows a write: what shares its turn waits for it. */
const PRUNE_BATCH = 100;

/** What a relay is made of, and what its parts share. */
export interface RelayParts {
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
  /** Null where they have no way out. */
  readonly pushes: Pushes | null;
  readonly indexer: SearchIndexer;
  readonly reaper: Reaper;
  readonly waits: Histogram;
  readonly reserved: ReservedNames;
}

export async function makeParts(deps: RelayDeps): Promise<RelayParts> {
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
  const pushes = makePushes(deps, core, readers);
  const sweepMore = async (now: number) => {
    await tokens.sweep(now);
    await sessions.sweep(now);
    await callbacks.sweep(now);
    await pushes?.sweep(now);
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
    pushes,
    indexer,
    reaper,
    reserved,
    waits: claimWaits(),
  };
}

function makeCore({ store, clock, log, settings, workspace, ownerTokens = [], integrations = [], hooksFile }: RelayDeps): RelayCore {
  const feed = new EventFeed({ store, clock, log });
  const otherSecrets = () => (hooksFile?.current ?? []).flatMap(({ action }) => (action.type === 'webhook' ? [action.secret] : []));
  const tokens = new Tokens({ store, clock, workspace, ownerTokens, integrations, otherSecrets });
  const inboxes = new Inboxes({ store, feed, clock, log, settings });
  const toolMail = new ToolMail({ store, clock, inboxes });
  const agents = new AgentRegistry({ store, clock, settings, tokens, inboxes });
  const guard = new LoopGuard(clock, settings.guard);
  store.onTurn(guard);
  return { store, feed, clock, log, settings, tokens, agents, inboxes, toolMail, guard };
}

function makeHooks(
  deps: RelayDeps,
  { feed, ...core }: RelayCore,
  { messages, readers }: Pick<RelayParts, 'messages' | 'readers'>,
): RelayHooks {
  const { workspace, callbacks, hooksFile: file = { current: [], state: { file: null, fault: null } } } = deps;
  const owner = logReaderOf({ ...core, readers }, { type: 'owner', workspace });
  const follow = (after: number | undefined, signal: AbortSignal) => feed.open(owner, after === undefined ? {} : { after }, { signal });
  return new RelayHooks({ ...core, workspace, messages, file, sender: callbacks?.sender, follow });
}

function makePushes({ workspace, push: outlet }: RelayDeps, { feed, ...core }: RelayCore, readers: Readers): Pushes | null {
  if (outlet === undefined) return null;
  const rightsOf = (principal: Principal) => logReaderOf({ ...core, readers }, principal);
  const follow = (after: number | undefined, signal: AbortSignal) =>
    feed.open(rightsOf({ type: 'owner', workspace }), after === undefined ? {} : { after }, { signal });
  return new Pushes({ ...core, workspace, outlet, follow, rightsOf });
}

/** In the opposite order: what writes ends before the store does. */
export async function closeParts({
  core,
  reaper,
  callbacks,
  hooks,
  pushes,
  indexer,
  sessions,
  presence,
  receipts,
}: RelayParts): Promise<void> {
  const { clock, tokens, feed, inboxes, log, store } = core;
  clock.close?.();
  indexer.close();
  await reaper.close();
  await hooks.close();
  await pushes?.close();
  await callbacks.close();
  await sessions.close();
  tokens.lives.close();
  await presence.close();
  receipts.close();
  feed.close();
  await inboxes.close().catch((error: unknown) => log.warn('the last receipts could not be written', { error: asText(error) }));
  await store.close();
}
