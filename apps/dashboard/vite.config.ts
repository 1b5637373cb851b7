import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';
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

/** Schemas carry the means to describe themselves as JSON Schema, which no page asks for, and which is a good part of the first script. */
const withoutJsonSchema: Plugin = {
  name: 'without-json-schema',
  enforce: 'pre',
  transform(code, id) {
    if (!/\/zod\/v4\/classic\/schemas\.js$/u.test(id)) return null;
    const lean = code
      .replace(/^import \* as processors from .*$/mu, 'const processors = {};')
      .replace(
        /^import \{ createStandardJSONSchemaMethod, createToJSONSchemaMethod \} from .*$/mu,
        'const createStandardJSONSchemaMethod = () => undefined, createToJSONSchemaMethod = createStandardJSONSchemaMethod;',
      );
    if (/from ".*json-schema.*"/u.test(lean)) throw new Error('zod brings its JSON Schema from somewhere else now');
    return { code: lean, map: null };
  },
};

export default defineConfig({
  resolve: { conditions: ['agent-relay-source', ...defaultClientConditions] },
  plugins: [react(), tailwindcss(), notices, withoutJsonSchema],
  build: { target: 'es2022', sourcemap: false, chunkSizeWarningLimit: 800 },
  server: {
    port: 4851, // The relay checks Host against Origin: the page's own Host must reach it.
    proxy: { '/api': { target, changeOrigin: false }, '/ws': { target, ws: true, changeOrigin: false } },
  },
});
