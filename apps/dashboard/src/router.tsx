import { createRootRoute, createRoute, createRouter, Outlet } from '@tanstack/react-router';
import { LoginPage } from './view/login-page.tsx';
import { RelayPage } from './view/relay-page.tsx';

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: () => <p className="p-8">There is no such page.</p> });
const loginRoute = createRoute({ getParentRoute: () => rootRoute, path: '/login', component: LoginPage });
const homeRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: () => <RelayPage agentId={null} /> });
const agentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/agents/$agentId',
  component: () => <RelayPage agentId={agentRoute.useParams().agentId} />,
});

export function createAppRouter() {
  return createRouter({ routeTree: rootRoute.addChildren([loginRoute, homeRoute, agentRoute]) });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
