import { createRootRoute, createRoute, createRouter, Outlet, useParams } from '@tanstack/react-router';
import { SHARED_PAGE } from 'agent-relay-protocol';
import type { ReactNode } from 'react';
import { type AgentsShown, readAgentsShown } from './relay/agents-shown.ts';
import { readAuditFilter } from './relay/audit-filter.ts';
import { readEventFilter } from './relay/event-filter.ts';
import { type MessageFilter, readMessageSearch } from './relay/message-filter.ts';
import { readSearchFilter } from './relay/search-filter.ts';
import { readUsageFilter } from './relay/usage-filter.ts';
import { lazyPage } from './view/lazy-page.tsx';
import { NoSuchPage } from './view/no-such-page.tsx';
import { Shell } from './view/shell.tsx';
import { readTaskSearch } from './view/tasks/task-filter.ts';

const ApprovalsPage = lazyPage(async () => (await import('./view/approvals/approvals-page.tsx')).ApprovalsPage);
const CallbacksPage = lazyPage(async () => (await import('./view/callbacks/callbacks-page.tsx')).CallbacksPage);
const ChannelsPage = lazyPage(async () => (await import('./view/channels/channels-page.tsx')).ChannelsPage);
const HoldsPage = lazyPage(async () => (await import('./view/holds/holds-page.tsx')).HoldsPage);
const SharedPage = lazyPage(async () => (await import('./view/shared/shared-page.tsx')).SharedPage);
const LoginPage = lazyPage(async () => (await import('./view/login-page.tsx')).LoginPage);
const PairsPage = lazyPage(async () => (await import('./view/pairs/pairs-page.tsx')).PairsPage);
const RulesPage = lazyPage(async () => (await import('./view/rules/rules-page.tsx')).RulesPage);
const ReservationsPage = lazyPage(async () => (await import('./view/reservations/reservations-page.tsx')).ReservationsPage);
const FindPage = lazyPage(async () => (await import('./view/search/search-page.tsx')).FindPage);
const EventsPage = lazyPage(async () => (await import('./view/events/events-page.tsx')).EventsPage);
const SettingsPage = lazyPage(async () => (await import('./view/settings/settings-page.tsx')).SettingsPage);
const AuditPage = lazyPage(async () => (await import('./view/audit/audit-page.tsx')).AuditPage);
const HooksPage = lazyPage(async () => (await import('./view/hooks/hooks-page.tsx')).HooksPage);
const UsageOverview = lazyPage(async () => (await import('./view/usage/usage-page.tsx')).UsageOverview);
const GraphPage = lazyPage(async () => (await import('./view/graph/graph-page.tsx')).GraphPage);
const TasksPage = lazyPage(async () => (await import('./view/tasks/tasks-page.tsx')).TasksPage);
const ThreadPage = lazyPage(async () => (await import('./view/thread-page.tsx')).ThreadPage);
const TokensPage = lazyPage(async () => (await import('./view/tokens/tokens-page.tsx')).TokensPage);
const AgentPage = lazyPage(async () => (await import('./view/agent/agent-page.tsx')).AgentPage);
const MessagesPage = lazyPage(async () => (await import('./view/messages/messages-page.tsx')).MessagesPage);
const OverviewPage = lazyPage(async () => (await import('./view/overview/overview-page.tsx')).OverviewPage);
const FleetPage = lazyPage(async () => (await import('./view/fleet/fleet-page.tsx')).FleetPage);

const Nowhere = () => (
  <Shell>
    <NoSuchPage />
  </Shell>
);
const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: Nowhere });
const loginRoute = createRoute({ getParentRoute: () => rootRoute, path: '/login', component: LoginPage });
const sharedRoute = createRoute({ getParentRoute: () => rootRoute, path: SHARED_PAGE, component: SharedPage });
const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: 'shell', component: Shell });
const under = { getParentRoute: () => shellRoute };

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 0;

/** The page of what an address names by its number. */
const numbered = (text: string, page: (number: number) => ReactNode): ReactNode =>
  /^[1-9]\d{0,14}$/u.test(text) ? page(Number(text)) : <NoSuchPage />;

const homeRoute = createRoute({ ...under, path: '/', component: OverviewPage });
const messagesRoute = createRoute({
  ...under,
  path: '/messages',
  validateSearch: (search: Record<string, unknown>): MessageFilter & AgentsShown => ({
    ...readMessageSearch(search),
    ...readAgentsShown(search),
  }),
  component: () => <MessagesPage search={messagesRoute.useSearch()} />,
});
const fleetRoute = createRoute({ ...under, path: '/fleet', component: FleetPage });
const agentRoute = createRoute({
  ...under,
  path: '/agents/$agentId',
  validateSearch: ({
    message,
    entry,
    session,
    ...search
  }: Record<string, unknown>): { message?: number; entry?: number; session?: string } & AgentsShown => ({
    ...(isNumber(message) ? { message } : {}),
    ...(isNumber(entry) ? { entry } : {}),
    ...(typeof session === 'string' && session !== '' ? { session } : {}),
    ...readAgentsShown(search),
  }),
  component: () => <AgentPage {...agentRoute.useSearch()} agentId={agentRoute.useParams().agentId} />,
});
const messageRoute = createRoute({
  ...under,
  path: '/messages/$messageId',
  component: () => numbered(messageRoute.useParams().messageId, (id) => <ThreadPage messageId={id} />),
});
/** A page whose detail is a route below it: what is open beside a list leaves the list where it is. */
const useBelow = (name: string): string | null => {
  const params: Readonly<Record<string, string | undefined>> = useParams({ strict: false });
  return params[name] ?? null;
};
const numberedOrNone = (text: string | null, page: (number: number | null) => ReactNode): ReactNode =>
  text === null ? page(null) : numbered(text, page);

const tasksRoute = createRoute({
  ...under,
  path: '/tasks',
  validateSearch: readTaskSearch,
  component: () => {
    const search = tasksRoute.useSearch();
    return numberedOrNone(useBelow('taskId'), (id) => <TasksPage search={search} taskId={id} />);
  },
});
const taskRoute = createRoute({ getParentRoute: () => tasksRoute, path: '$taskId' });
const pairsRoute = createRoute({
  ...under,
  path: '/pairs',
  component: () => numberedOrNone(useBelow('pairId'), (id) => <PairsPage pairId={id} />),
});
const pairRoute = createRoute({ getParentRoute: () => pairsRoute, path: '$pairId' });
const approvalsRoute = createRoute({
  ...under,
  path: '/approvals',
  validateSearch: ({ by }: Record<string, unknown>): { by?: string } => (typeof by === 'string' && by !== '' ? { by } : {}),
  component: () => <ApprovalsPage by={approvalsRoute.useSearch().by ?? null} />,
});
const rulesRoute = createRoute({ ...under, path: '/rules', component: RulesPage });
const holdsRoute = createRoute({ ...under, path: '/holds', component: HoldsPage });
const channelsRoute = createRoute({ ...under, path: '/channels', component: () => <ChannelsPage channelId={useBelow('channelId')} /> });
const channelRoute = createRoute({ getParentRoute: () => channelsRoute, path: '$channelId' });
const callbacksRoute = createRoute({
  ...under,
  path: '/callbacks',
  validateSearch: ({ status }: Record<string, unknown>): { status?: 'pending' | 'delivered' } =>
    status === 'pending' || status === 'delivered' ? { status } : {},
  component: () => <CallbacksPage status={callbacksRoute.useSearch().status ?? 'dead'} />,
});
const searchRoute = createRoute({
  ...under,
  path: '/search',
  validateSearch: readSearchFilter,
  component: () => <FindPage filter={searchRoute.useSearch()} />,
});
const eventsRoute = createRoute({
  ...under,
  path: '/events',
  validateSearch: readEventFilter,
  component: () => <EventsPage filter={eventsRoute.useSearch()} />,
});
const auditRoute = createRoute({
  ...under,
  path: '/audit',
  validateSearch: readAuditFilter,
  component: () => <AuditPage filter={auditRoute.useSearch()} />,
});
const hooksRoute = createRoute({ ...under, path: '/hooks', component: HooksPage });
const usageRoute = createRoute({
  ...under,
  path: '/usage',
  validateSearch: readUsageFilter,
  component: () => <UsageOverview filter={usageRoute.useSearch()} />,
});
const graphRoute = createRoute({ ...under, path: '/graph', component: GraphPage });
const reservationsRoute = createRoute({
  ...under,
  path: '/reservations',
  validateSearch: ({ agent }: Record<string, unknown>): { agent?: string } => (typeof agent === 'string' && agent !== '' ? { agent } : {}),
  component: () => <ReservationsPage agentId={reservationsRoute.useSearch().agent ?? null} />,
});
const settingsRoute = createRoute({ ...under, path: '/settings', component: SettingsPage });
const tokensRoute = createRoute({ ...under, path: '/tokens', component: TokensPage });

const pages = [
  homeRoute,
  messagesRoute,
  fleetRoute,
  agentRoute,
  messageRoute,
  tasksRoute.addChildren([taskRoute]),
  pairsRoute.addChildren([pairRoute]),
  approvalsRoute,
  rulesRoute,
  holdsRoute,
  channelsRoute.addChildren([channelRoute]),
  callbacksRoute,
  searchRoute,
  eventsRoute,
  auditRoute,
  hooksRoute,
  reservationsRoute,
  usageRoute,
  tokensRoute,
  settingsRoute,
  graphRoute,
] as const;

export function createAppRouter() {
  return createRouter({ routeTree: rootRoute.addChildren([loginRoute, sharedRoute, shellRoute.addChildren(pages)]) });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
