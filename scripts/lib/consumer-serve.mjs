// Copied into a consumer's project and run there: the installed relay starts, serves its API and its dashboard, and stops.
import { strictEqual } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const bin = join('node_modules', '.bin', 'agent-relay');
const relay = spawn(bin, ['serve', '--port', '0', '--no-local-node', '--db', 'data/relay.db'], { stdio: ['ignore', 'pipe', 'inherit'] });
let output = '';
/** @type {Promise<string>} */
const listening = new Promise((resolve, reject) => {
  relay.stdout.on('data', (chunk) => {
    output += chunk;
    const [, url] = /listens on (\S+)\n/.exec(output) ?? [];
    if (url !== undefined) resolve(url);
  });
  relay.on('exit', (code) => reject(new Error(`agent-relay serve ended with ${code} before it listened: ${output}`)));
});

const url = await listening;
strictEqual((await fetch(`${url}/api/health`)).status, 200, 'the API answers');
const page = await (await fetch(url)).text();
strictEqual(/<div id="\w+">/.test(page) && /<script/.test(page), true, 'the dashboard is in the package');
const exited = once(relay, 'exit');
relay.kill('SIGTERM');
strictEqual((await exited)[0], 0, 'SIGTERM ends it cleanly');
