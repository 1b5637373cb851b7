import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

const relay = 'http://127.0.0.1:4850';

export default defineConfig({
  resolve: { conditions: ['agent-relay-source', ...defaultClientConditions] },
  plugins: [react(), tailwindcss()],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 800 },
  server: {
    port: 4851, // The relay checks Host against Origin: the page's own Host must reach it.
    proxy: { '/api': { target: relay, changeOrigin: false }, '/ws': { target: relay, ws: true, changeOrigin: false } },
  },
});
