// Run in an empty folder with an empty home: `npx agent-relay-server` serves, and its commands find it. Argument: the version.
import { match, ok, strictEqual } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const [version = ''] = process.argv.slice(2);
const npx = (/** @type {readonly string[]} */ ...args) =>
  spawnSync('npx', ['--yes', 'agent-relay-server', ...args], { encoding: 'utf8', timeout: 900_000 });

const told = npx('--version');
match(told.stdout, new RegExp(`${version.replaceAll('.', '\\.')}`), told.stderr);
ok(existsSync(join(process.env['npm_config_cache'] ?? '', '_npx')), 'npx found it somewhere else than in the registry');
const relay = spawn('npx', ['--yes', 'agent-relay-server', 'serve', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  detached: true,
});
let output = '';
await new Promise((resolve, reject) => {
  relay.stdout.on('data', (chunk) => {
    output += chunk;
    if (/listens on \S+\n/.test(output)) resolve(undefined);
  });
  relay.on('exit', (code) => reject(new Error(`npx agent-relay-server ended with ${code} before it listened: ${output}`)));
});
const sent = npx('send', 'owner', 'hello');
strictEqual(sent.status, 0, sent.stderr);
match(npx('inbox').stdout, /hello/, 'what was sent is there');
const exited = once(relay, 'exit');
process.kill(-(relay.pid ?? 0), 'SIGTERM');
await exited;
