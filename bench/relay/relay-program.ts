import { createLogger, readConfig, startServer } from 'agent-relay-server';

/** The relay as published, on a port of its own choice: `node relay-program.ts DATABASE`. */
const [databasePath = ''] = process.argv.slice(2);
const config = readConfig({ env: {}, flags: { DB_PATH: databasePath, PORT: '0', AGENT_RELAY_LOCAL_NODE: '0' } });
const server = await startServer(config, { log: createLogger('warn') });
console.log(JSON.stringify({ url: server.url, ownerToken: server.ownerToken }));
process.on('SIGTERM', () => void server.stop().then(() => process.exit(0)));
