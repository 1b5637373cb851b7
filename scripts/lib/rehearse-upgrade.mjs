// Run with an empty home and a global prefix of its own. `before VERSION`: the installed relay keeps a message. `after VERSION`: it upgrades
// itself, and the message is still there.
import { match, strictEqual } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const [when = '', version = ''] = process.argv.slice(2);
const agentRelay = (/** @type {readonly string[]} */ ...args) => spawnSync('agent-relay', args, { encoding: 'utf8', timeout: 900_000 });
const assertVersion = () => match(agentRelay('--version').stdout, new RegExp(version.replaceAll('.', '\\.')));

if (when === 'after') {
  const upgraded = agentRelay('upgrade', '--yes', '--no-restart', '--providers', 'none');
  strictEqual(upgraded.status, 0, upgraded.stdout + upgraded.stderr);
}
assertVersion();
const relay = spawn('agent-relay', ['serve', '--port', '0', '--no-local-node'], { stdio: ['ignore', 'pipe', 'inherit'] });
let output = '';
await new Promise((resolve, reject) => {
  relay.stdout.on('data', (chunk) => {
    output += chunk;
    if (/listens on \S+\n/.test(output)) resolve(undefined);
  });
  relay.on('exit', (code) => reject(new Error(`agent-relay serve ended with ${code} before it listened: ${output}`)));
});
if (when === 'before') strictEqual(agentRelay('send', 'owner', 'kept over the upgrade').status, 0);
match(agentRelay('inbox').stdout, /kept over the upgrade/);
const exited = once(relay, 'exit');
relay.kill('SIGTERM');
strictEqual((await exited)[0], 0, 'SIGTERM ends it cleanly');
