import { agentEvents } from './events/agent-events.ts';
import { approvalEvents } from './events/approval-events.ts';
import { channelEvents } from './events/channel-events.ts';
import { claimEvents } from './events/claim-events.ts';
import { deliveryEvents } from './events/delivery-events.ts';
import { hookEvents } from './events/hook-events.ts';
import { messageEvents } from './events/message-events.ts';
import { pairEvents } from './events/pair-events.ts';
import { reservationEvents } from './events/reservation-events.ts';
import { ruleEvents } from './events/rule-events.ts';
import { sessionEvents } from './events/session-events.ts';
import { taskEvents } from './events/task-events.ts';
import { tokenEvents } from './events/token-events.ts';
import { agentRoutes } from './routes/agent-routes.ts';
import { approvalRoutes } from './routes/approval-routes.ts';
import { auditRoutes } from './routes/audit-routes.ts';
import { channelRoutes } from './routes/channel-routes.ts';
import { holdRoutes } from './routes/hold-routes.ts';
import { hookRoutes } from './routes/hook-routes.ts';
import { inboxRoutes } from './routes/inbox-routes.ts';
import { messageRoutes } from './routes/message-routes.ts';
import { nodeRoutes } from './routes/node-routes.ts';
import { pairRoutes } from './routes/pair-routes.ts';
import { pushRoutes } from './routes/push-routes.ts';
import { reservationRoutes } from './routes/reservation-routes.ts';
import { ruleRoutes } from './routes/rule-routes.ts';
import { searchRoutes } from './routes/search-routes.ts';
import { sessionRoutes } from './routes/session-routes.ts';
import { shareRoutes } from './routes/share-routes.ts';
import { systemRoutes } from './routes/system-routes.ts';
import { taskRoutes } from './routes/task-routes.ts';
import { tokenRoutes } from './routes/token-routes.ts';
import { usageRoutes } from './routes/usage-routes.ts';
import { workRoutes } from './routes/work-routes.ts';

/*
 * What the relay has, resource by resource: one line for what may be asked of it, one for what the log tells of it.
 */

/** The route table. */
export const routes = {
  ...systemRoutes,
  ...agentRoutes,
  ...inboxRoutes,
  ...messageRoutes,
  ...holdRoutes,
  ...workRoutes,
  ...sessionRoutes,
  ...nodeRoutes,
  ...approvalRoutes,
  ...ruleRoutes,
  ...taskRoutes,
  ...pairRoutes,
  ...channelRoutes,
  ...searchRoutes,
  ...hookRoutes,
  ...auditRoutes,
  ...usageRoutes,
  ...reservationRoutes,
  ...tokenRoutes,
  ...shareRoutes,
  ...pushRoutes,
} as const;

/** What the log tells. */
export const events = [
  ...messageEvents,
  ...deliveryEvents,
  ...claimEvents,
  ...agentEvents,
  ...sessionEvents,
  ...approvalEvents,
  ...ruleEvents,
  ...taskEvents,
  ...pairEvents,
  ...tokenEvents,
  ...channelEvents,
  ...hookEvents,
  ...reservationEvents,
] as const;
