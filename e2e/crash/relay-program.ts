import { createLogger, readConfig, startServer } from 'agent-relay-server';

/** A relay to be killed: `node relay-program.ts DATABASE PORT [SETTINGS]`, the settings as JSON under the names of their variables. */
const [databasePath = '', port = '', settings = '{}'] = process.argv.slice(2);
const flags = { DB_PATH: databasePath, PORT: port, AGENT_RELAY_LOCAL_NODE: '0', ...JSON.parse(settings) };
// Failed callbacks are part of the run: they would fill the screen with warnings.
const server = await startServer(readConfig({ env: {}, flags }), { log: createLogger('error') });
console.log(JSON.stringify({ ownerToken: server.ownerToken }));
