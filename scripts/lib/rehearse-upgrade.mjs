// Run with an empty home and a global prefix of its own. `before VERSION`: the installed relay keeps a message, and Codex has the plugin. `after VERSION`:
// the relay upgrades itself and what it added to Codex, and the message is still there; then what it added is taken out again.
import { doesNotMatch, match, strictEqual } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const [when = '', version = ''] = process.argv.slice(2);
const answerOf = (/** @type {string} */ program, /** @type {readonly string[]} */ ...args) =>
  spawnSync(program, args, { encoding: 'utf8', timeout: 900_000 });
const agentRelay = (/** @type {readonly string[]} */ ...args) => answerOf('agent-relay', ...args);
/** @param {string} program @param {readonly string[]} args */
const done = (program, ...args) => {
  const { status, stdout, stderr, error } = answerOf(program, ...args);
  strictEqual(status, 0, `${program} ${args.join(' ')}: ${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
};
const plugins = () => JSON.parse(done('codex', 'plugin', 'list', '--json')).installed ?? [];
const pluginVersions = () =>
  plugins().flatMap((/** @type {{ pluginId: string, version: string }} */ each) =>
    each.pluginId === 'agent-relay@agent-relay' ? [each.version] : [],
  );
const assertVersions = () => {
  for (const program of ['agent-relay', 'agent-relay-codex', 'codex-relay'])
    match(done(program, '--version'), new RegExp(version.replaceAll('.', '\\.')));
  strictEqual(pluginVersions().join(), version);
};

if (when === 'before') done('agent-relay-codex', 'install');
else
  match(
    done('agent-relay', 'upgrade', '--yes', '--no-restart', '--providers', 'codex'),
    /agent-relay-codex@\S+\n[\s\S]*agent-relay-codex refresh/,
  );
assertVersions();
const relay = spawn('agent-relay', ['serve', '--port', '0', '--no-local-node'], { stdio: ['ignore', 'pipe', 'inherit'] });
// Also when something here fails: it has our output, and whoever waits for that would wait for ever.
process.on('exit', () => relay.kill('SIGKILL'));
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
if (when === 'after') {
  done('agent-relay-codex', 'uninstall', '--purge');
  strictEqual(answerOf('codex-relay', '--version').error?.message.includes('ENOENT'), true, 'codex-relay is gone');
  strictEqual(pluginVersions().length, 0);
  // Nobody has it any more but npx, for once.
  strictEqual(done('npx', '--yes', '--package', 'agent-relay-codex', 'codex-relay', '--version').trim(), version);
  const doctor = answerOf('npx', '--yes', '--package', 'agent-relay-codex', 'agent-relay-codex', 'doctor');
  match(doctor.stdout, /^ok +codex-cli [\s\S]*^note +agent-relay-codex is not installed[\s\S]*^note +the plugin is not installed/m);
  doesNotMatch(doctor.stdout, /^fault/m);
  strictEqual(doctor.status, 0, doctor.stdout);
}
const exited = once(relay, 'exit');
relay.kill('SIGTERM');
strictEqual((await exited)[0], 0, 'SIGTERM ends it cleanly');
