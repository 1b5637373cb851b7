import { createRootRoute, createRoute, createRouter, Outlet } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ApprovalsPage } from './view/approvals/approvals-page.tsx';
import { CallbacksPage } from './view/callbacks/callbacks-page.tsx';
import { ChannelsPage } from './view/channels/channels-page.tsx';
import { HoldsPage } from './view/holds/holds-page.tsx';
import { LoginPage } from './view/login-page.tsx';
import { NoSuchPage } from './view/no-such-page.tsx';
import { PairsPage } from './view/pairs/pairs-page.tsx';
import { RelayPage } from './view/relay-page.tsx';
import { Shell } from './view/shell.tsx';
import { readTaskSearch } from './view/tasks/task-filter.ts';
import { TasksPage } from './view/tasks/tasks-page.tsx';
import { ThreadPage } from './view/thread-page.tsx';
import { TokensPage } from './view/tokens/tokens-page.tsx';

const Nowhere = () => (
  <Shell>
    <NoSuchPage />
  </Shell>
);
const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: Nowhere });
const loginRoute = createRoute({ getParentRoute: () => rootRoute, path: '/login', component: LoginPage });
const shellRoute = createRoute({ getParentRoute: () => rootRoute, id: 'shell', component: Shell });
const under = { getParentRoute: () => shellRoute };

/** The page of what an address names by its number. */
const numbered = (text: string, page: (number: number) => ReactNode): ReactNode =>
  /^[1-9]\d{0,14}$/u.test(text) ? page(Number(text)) : <NoSuchPage />;

const homeRoute = createRoute({ ...under, path: '/', component: () => <RelayPage agentId={null} /> });
const agentRoute = createRoute({
  ...under,
  path: '/agents/$agentId',
  component: () => <RelayPage agentId={agentRoute.useParams().agentId} />,
});
const messageRoute = createRoute({
  ...under,
  path: '/messages/$messageId',
  component: () => numbered(messageRoute.useParams().messageId, (id) => <ThreadPage messageId={id} />),
});
const tasksRoute = createRoute({
  ...under,
  path: '/tasks',
  validateSearch: readTaskSearch,
  component: () => <TasksPage search={tasksRoute.useSearch()} taskId={null} />,
});
const taskRoute = createRoute({
  ...under,
  path: '/tasks/$taskId',
  validateSearch: readTaskSearch,
  component: TaskPage,
});
function TaskPage() {
  const search = taskRoute.useSearch();
  return numbered(taskRoute.useParams().taskId, (id) => <TasksPage search={search} taskId={id} />);
}
const pairsRoute = createRoute({ ...under, path: '/pairs', component: () => <PairsPage pairId={null} /> });
const pairRoute = createRoute({
  ...under,
  path: '/pairs/$pairId',
  component: () => numbered(pairRoute.useParams().pairId, (id) => <PairsPage pairId={id} />),
});
const approvalsRoute = createRoute({ ...under, path: '/approvals', component: ApprovalsPage });
const holdsRoute = createRoute({ ...under, path: '/holds', component: HoldsPage });
const channelsRoute = createRoute({ ...under, path: '/channels', component: () => <ChannelsPage channelId={null} /> });
const channelRoute = createRoute({
  ...under,
  path: '/channels/$channelId',
  component: () => <ChannelsPage channelId={channelRoute.useParams().channelId} />,
});
const callbacksRoute = createRoute({
  ...under,
  path: '/callbacks',
  validateSearch: ({ status }: Record<string, unknown>): { status?: 'pending' | 'delivered' } =>
    status === 'pending' || status === 'delivered' ? { status } : {},
  component: () => <CallbacksPage status={callbacksRoute.useSearch().status ?? 'dead'} />,
});
const tokensRoute = createRoute({ ...under, path: '/tokens', component: TokensPage });

const pages = [
  homeRoute,
  agentRoute,
  messageRoute,
  tasksRoute,
  taskRoute,
  pairsRoute,
  pairRoute,
  approvalsRoute,
  holdsRoute,
  channelsRoute,
  channelRoute,
  callbacksRoute,
  tokensRoute,
] as const;

export function createAppRouter() {
  return createRouter({ routeTree: rootRoute.addChildren([loginRoute, shellRoute.addChildren(pages)]) });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
