import { createLogger, readConfig, startServer } from 'agent-relay-server';

/** A relay to be killed: `node relay-program.ts DATABASE PORT`. */
const [databasePath = '', port = ''] = process.argv.slice(2);
const config = readConfig({ env: {}, flags: { DB_PATH: databasePath, PORT: port, AGENT_RELAY_LOCAL_NODE: '0' } });
const server = await startServer(config, { log: createLogger('warn') });
console.log(JSON.stringify({ ownerToken: server.ownerToken }));
