import { readFile } from 'node:fs/promises';
import { runNode } from './fixtures/earlier-build.mjs';
import { scribeProvider } from './scribe-provider.ts';

/** A node of the earlier build: `node earlier-node.ts URL TOKEN_FILE STATE_DIR`. Says `attached` for each time a relay takes it. */
const [url = '', tokenFile = '', stateDir = ''] = process.argv.slice(2);
const ignore = () => {};
const missing: typeof scribeProvider = {
  ...scribeProvider,
  id: 'chisel',
  detect: async () => ({ available: false, reason: 'The chisel is at the smith' }),
};
const node = await runNode({
  url: new URL(url),
  readToken: async () => (await readFile(tokenFile, 'utf8')).trim(),
  name: 'scriptorium',
  stateDir,
  allowedFolders: [],
  providers: [scribeProvider, missing],
  log: {
    debug: ignore,
    info: (message) => message === 'attached to the relay' && console.log('attached'),
    warn: ignore,
    error: (message, fields) => console.error(message, fields),
  },
  env: process.env,
  clock: Date,
});
process.on('SIGTERM', () => void node.stop('The test is over'));
const end = await node.ended;
if (end.type === 'refused') console.error(end.error.message);
process.exit(end.type === 'stopped' ? 0 : 1);
