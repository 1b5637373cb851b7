import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createConnection } from './live/connection.ts';
import { ConnectionContext } from './live/use-connection.ts';
import { createAppRouter } from './router.tsx';
import { loadPages } from './view/lazy-page.tsx';
import { applyTheme } from './view/theme-switch.tsx';
import './style.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has a root element');

applyTheme();
const connection = createConnection(window.location.origin, () => Date.now());
const router = createAppRouter();
const idly = window.requestIdleCallback ?? ((task: () => void) => window.setTimeout(task, 2_000)); // Safari has none
const stopWaiting = connection.subscribe(() => {
  if (connection.getState().status !== 'live') return;
  stopWaiting();
  idly(() => void loadPages());
});

// Nobody waits for it, and the page works without.
void import('./view/notices/start-notices.ts').then(
  ({ startNotices }) => startNotices(connection, (path) => router.history.push(path)),
  () => {},
);

createRoot(root).render(
  <StrictMode>
    <ConnectionContext value={connection}>
      <RouterProvider router={router} />
    </ConnectionContext>
  </StrictMode>,
);
