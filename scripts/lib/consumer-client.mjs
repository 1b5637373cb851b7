// Copied into a consumer's project and run there on a Node that cannot open the database: commands and programs use a relay that another
// Node serves, and serving itself is refused in one sentence. Arguments: that Node, and the agent-relay beside it.
import { deepStrictEqual, match, notStrictEqual, strictEqual } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [relayNode = '', relayBin = ''] = process.argv.slice(2);
const ownBin = join('node_modules', '.bin', 'agent-relay');
const home = mkdtempSync(join(tmpdir(), 'agent-relay-home-'));
const env = { ...process.env, HOME: home };
/** @param {readonly string[]} args */
const agentRelay = (args) => spawnSync(ownBin, args, { env, encoding: 'utf8', timeout: 60_000 });

const refused = agentRelay(['serve', '--port', '0', '--no-local-node']);
notStrictEqual(refused.status, 0, 'serve does not claim to have worked');
match(refused.stderr, /better-sqlite3/, 'serve says what is missing');
strictEqual(/\n\s+at /.test(refused.stderr), false, `serve says it without a stack trace: ${refused.stderr}`);

const relay = spawn(relayNode, [relayBin, 'serve', '--port', '0', '--no-local-node'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
let output = '';
/** @type {string} */
const url = await new Promise((resolve, reject) => {
  relay.stdout.on('data', (chunk) => {
    output += chunk;
    const [, found] = /listens on (\S+)\n/.exec(output) ?? [];
    if (found !== undefined) resolve(found);
  });
  relay.on('exit', (code) => reject(new Error(`agent-relay serve ended with ${code} before it listened: ${output}`)));
});

// Found in the consumer's project, not here.
const name = 'agent-relay-client/node';
/** @type {{ createNodeRelayClient: (options: object) => any }} */
const { createNodeRelayClient } = await import(name);
const client = createNodeRelayClient({ url });
const reader = await client.register({ id: 'reader', name: 'reader' });
const sent = agentRelay(['send', 'reader', 'hello']);
strictEqual(sent.status, 0, sent.stderr);
for await (const { body, from } of reader.inbox()) {
  deepStrictEqual({ body, from }, { body: 'hello', from: 'owner' });
  break;
}
const agents = agentRelay(['agents', '--json']);
match(agents.stdout, /"reader"/, agents.stderr);
await reader.close();
await client.close();

const exited = once(relay, 'exit');
relay.kill('SIGTERM');
strictEqual((await exited)[0], 0, 'SIGTERM ends the relay cleanly');
rmSync(home, { recursive: true, force: true });
