import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createConnection } from './live/connection.ts';
import { ConnectionContext } from './live/use-connection.ts';
import { createAppRouter } from './router.tsx';
import './style.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has a root element');

const connection = createConnection(window.location.origin, () => Date.now());
const router = createAppRouter();

createRoot(root).render(
  <StrictMode>
    <ConnectionContext value={connection}>
      <RouterProvider router={router} />
    </ConnectionContext>
  </StrictMode>,
);
