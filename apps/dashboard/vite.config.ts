import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

/**
 * The relay's socket in the file system, as `npm run dev` names it: a browser's session goes there and not to a port, which is whoever's who binds it
 * while the relay restarts. Where there is none, as on Windows, the port it is.
 */
const { AGENT_RELAY_DEV_SOCKET: socketPath, AGENT_RELAY_DEV_PORT: port = '4850' } = process.env;
const target = socketPath ? { socketPath, host: '127.0.0.1', port: Number(port) } : `http://127.0.0.1:${port}`;

export default defineConfig({
  resolve: { conditions: ['agent-relay-source', ...defaultClientConditions] },
  plugins: [react(), tailwindcss()],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 800 },
  server: {
    port: 4851, // The relay checks Host against Origin: the page's own Host must reach it.
    proxy: { '/api': { target, changeOrigin: false }, '/ws': { target, ws: true, changeOrigin: false } },
  },
});
