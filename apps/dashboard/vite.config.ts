import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const relay = 'http://127.0.0.1:4850';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: { target: 'es2022', sourcemap: false },
  server: { port: 4851, proxy: { '/api': relay, '/ws': { target: relay, ws: true } } },
});
