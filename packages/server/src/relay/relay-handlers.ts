import { agentHandlers } from './agents/agent-routes.ts';
import { auditedHandlers, auditHandlers } from './audit/audit.ts';
import { Channels } from './channels/channels.ts';
import type { RelayHandlers } from './contract/relay-contract.ts';
import { hookHandlers } from './hooks/hook-handlers.ts';
import { messageHandlers } from './mail/message-routes.ts';
import { Pairs } from './pairs/pairs.ts';
import { withoutPushes } from './push/pushes.ts';
import type { RelayDeps } from './relay-deps.ts';
import type { RelayParts } from './relay-parts.ts';
import { searchHandlers } from './search/search.ts';
import { shareHandlers } from './shares/shares.ts';
import { systemHandlers } from './system/system-routes.ts';
import { taskReports } from './tasks/task-reports.ts';
import { taskHandlers } from './tasks/tasks.ts';
import { tokenHandlers } from './tokens/token-routes.ts';
import { usageHandlers } from './usage/usage.ts';
import { claimHandlers } from './work/claims.ts';
import { verificationHandlers } from './work/verifications.ts';

/** What every room answers, with what is remembered of calls that use power over others. */
export const handlersOf = (deps: RelayDeps, parts: RelayParts): RelayHandlers => {
  const { store, clock, tokens } = parts.core;
  return auditedHandlers(ofRooms(deps, parts), { store, clock, tokenIdOf: (principal) => tokens.lives.tokenIdOf(principal) });
};

function ofRooms(deps: RelayDeps, parts: RelayParts): RelayHandlers {
  const { integrations = [], probes = {}, configuration = { envFile: null, settings: [] } } = deps;
  const { core, readers, receipts, messages, holds, inbox, sessions, callbacks, hooks, pushes, indexer, reaper, reserved, waits } = parts;
  const { store, feed, clock, log, settings, tokens, agents, inboxes, guard } = core;
  const claims = claimHandlers({ store, clock, settings, leaseEndsAt: (at) => reaper.leaseEndsAt(at), waits, readers, inboxes });
  return {
    ...tokenHandlers({ store, clock, log, tokens, inboxes }),
    ...shareHandlers({ store, clock, log, tokens }),
    ...systemHandlers({ store, clock, tokens, sessions, feed, probes, configuration }),
    ...agentHandlers({ store, agents, endRemoved: sessions.endRemoved }),
    ...messageHandlers({ store, clock, messages, receipts, inboxes, readers }),
    ...verificationHandlers({ store, readers }),
    ...holds.handlers,
    ...inbox.handlers,
    ...claims,
    ...taskHandlers({ store, clock, claim: claims['messages/claim'], readers, inboxes }),
    ...taskReports({ store, clock, integrations, reportsPerMinute: settings.reportsPerMinute }),
    ...callbacks.handlers,
    ...(pushes?.handlers ?? withoutPushes),
    ...new Pairs({ store, clock, messages, guard, readers }).handlers,
    ...new Channels({ store, clock, messages, inboxes, guard, readers }).handlers,
    ...auditHandlers({ store }),
    ...usageHandlers({ store }),
    ...searchHandlers({ store, clock, readers, indexer }),
    ...sessions.handlers,
    ...hookHandlers(hooks, sessions.handlers),
    'nodes/remove': async (input, context) => {
      const removed = await sessions.handlers['nodes/remove'](input, context);
      reserved.offer(removed.nodeId, []);
      return removed;
    },
  };
}
