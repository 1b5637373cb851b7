import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
import { computedData, dataModules } from '../../computed-data.base.ts';
import { thirdPartyNotices } from '../../third-party.base.ts';

/**
 * The relay's socket in the file system, as `npm run dev` names it: a browser's session goes there and not to a port, which is whoever's who binds it
 * while the relay restarts. Where there is none, as on Windows, the port it is.
 */
const { AGENT_RELAY_DEV_SOCKET: socketPath, AGENT_RELAY_DEV_PORT: port = '4850' } = process.env;
const target = socketPath ? { socketPath, host: '127.0.0.1', port: Number(port) } : `http://127.0.0.1:${port}`;

const notices: Plugin = {
  name: 'third-party-notices',
  generateBundle(_options, bundle) {
    const modules = Object.values(bundle).flatMap((output) => (output.type === 'chunk' ? Object.keys(output.modules) : []));
    const files = modules.filter((id) => !id.startsWith('\0')).map((id) => id.replace(/\?.*$/su, ''));
    this.emitFile({ type: 'asset', fileName: 'third-party-notices.txt', source: thirdPartyNotices(files) });
  },
};

/**
 * What the protocol says of itself in data (`packages/protocol/src/data`) is computed here: a page checks neither what it sends nor what the relay
 * answers, so the schemas and zod are in no script.
 */
const computed: Plugin = {
  name: 'computed-data',
  enforce: 'pre',
  async load(id) {
    return dataModules.test(id) ? computedData(id) : null;
  },
};

export default defineConfig({
  resolve: { conditions: ['agent-relay-source', ...defaultClientConditions] },
  plugins: [react(), tailwindcss(), notices, computed],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 800 },
  server: {
    port: 4851, // The relay checks Host against Origin: the page's own Host must reach it.
    proxy: { '/api': { target, changeOrigin: false }, '/ws': { target, ws: true, changeOrigin: false } },
  },
});
