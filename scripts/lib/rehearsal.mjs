// Publishes the packed packages to a registry of our own and uses them from it, as people will: npx, npm install, upgrade.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentClis } from '../agent-clis.mjs';
import { installLocked } from './npm-folder.mjs';
import { rootFolder, run, runOrFail, StepFailed } from './run.mjs';

/** @typedef {import('./report.mjs').Report} Report */
/** @typedef {import('../check-packages.mjs').PackedPackage} PackedPackage */
/**
 * @typedef {object} Registry
 * @property {string} url
 * @property {NodeJS.ProcessEnv} env npm's, for somebody who knows this registry and nothing else of ours.
 * @property {() => string} said What it printed.
 * @property {() => Promise<void>} stop
 */

const registryFolder = join(rootFolder, 'tools', 'registry');
/** Before everything that was ever packed. */
const VERSION_BEFORE = '0.0.1';
const AT_ONCE = 4;

/**
 * Adds the rehearsal's checks.
 *
 * @param {readonly PackedPackage[]} packages
 * @param {{ folder: string, env: NodeJS.ProcessEnv, report: Report }} options `env` has the Node to try them on first on its PATH; `folder` is empty.
 */
export async function rehearsePublishing(packages, { folder, env, report }) {
  /** @type {Registry | undefined} */
  let registry;
  await report.check('rehearsal: a registry', async () => {
    await installLocked(registryFolder, { title: 'Installing the registry to rehearse publishing' });
    registry = await startRegistry(folder, env);
    return { passed: 1, failed: 0 };
  });
  if (registry === undefined) return;
  await rehearseOn(registry, packages, { folder, report });
}

/**
 * @param {Registry} registry
 * @param {readonly PackedPackage[]} packages
 * @param {{ folder: string, report: Report }} options
 */
async function rehearseOn(registry, packages, { folder, report }) {
  // Where npm runs this, what the checkout brings is on PATH as well.
  const strangersPath = (registry.env['PATH'] ?? '').split(delimiter).filter((place) => place !== join(rootFolder, 'node_modules', '.bin'));
  const at = (/** @type {string} */ name) => {
    const place = join(folder, name);
    mkdirSync(place, { recursive: true });
    const prefix = join(place, 'prefix');
    return {
      cwd: place,
      env: {
        ...registry.env,
        HOME: place,
        USERPROFILE: place,
        // One for each: npx runs what lies in the global prefix before it asks a registry.
        npm_config_prefix: prefix,
        // Codex as its package brings it: the real one, without the wrapper.
        PATH: [join(prefix, 'bin'), dirname(agentClis.codex), ...strangersPath].join(delimiter),
      },
      isPatient: true,
    };
  };
  try {
    const isOlderThere = await report.check('rehearsal: the version before is published and installed', async () => {
      for (const each of packages) await asVersionBefore(each, join(folder, 'before'));
      await publishFolders(join(folder, 'before'), registry);
      await installed(['install', '--global', 'agent-relay-server', 'agent-relay-codex'], at('upgrade'), registry);
      return consumer('rehearse-upgrade.mjs', ['before', VERSION_BEFORE], at('upgrade'));
    });
    const isPublished = await report.check('rehearsal: the packages are published', async () => {
      await publishTarballs(packages, registry);
      return { passed: 1, failed: 0 };
    });
    if (!isPublished) return;
    const version = packages[0]?.manifest.version ?? '';
    if (isOlderThere)
      await report.check('rehearsal: agent-relay upgrade', () => consumer('rehearse-upgrade.mjs', ['after', version], at('upgrade')));
    await report.check('rehearsal: npx agent-relay-server', () => consumer('rehearse-npx.mjs', [version], at('npx')));
    await report.check('rehearsal: npm install of each package, and what its README shows', async () => {
      const names = packages.map(({ manifest }) => manifest.name);
      const options = at('readme');
      writeFileSync(join(options.cwd, 'package.json'), '{ "private": true, "type": "module" }\n');
      await installed(['install', '--no-audit', '--no-fund', '--loglevel=error', ...names], options, registry);
      for (const { manifest } of packages) copyReadme(manifest.name, options.cwd);
      copyFileSync(join(rootFolder, 'README.md'), join(options.cwd, 'root.md'));
      return consumer('rehearse-readmes.mjs', names, options);
    });
  } finally {
    await registry.stop();
  }
}

/** How often what a network did to somebody else's package may spoil an install; what the registry got by then it keeps. */
const INSTALL_ATTEMPTS = 3;

/**
 * @param {readonly string[]} args Of npm.
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, isPatient: boolean }} options
 * @param {Registry} registry
 */
async function installed(args, options, registry) {
  for (let attempt = 1; ; attempt += 1) {
    const { code, output } = await run('npm', args, options);
    if (code === 0) return;
    // Ours are in the registry itself: that one of them is missing is no accident.
    const isOurs = /404[^\n]*agent-relay/.test(output);
    if (attempt === INSTALL_ATTEMPTS || isOurs)
      throw new StepFailed(`npm ${args.join(' ')} failed (exit code ${code})`, output + registry.said());
  }
}

/** @param {string} name @param {string} cwd */
function copyReadme(name, cwd) {
  copyFileSync(join(cwd, 'node_modules', name, 'README.md'), join(cwd, `${name}.md`));
}

/**
 * @param {string} script A program of this folder, run where nothing of the checkout is found.
 * @param {readonly string[]} args
 * @param {{ cwd: string, env: NodeJS.ProcessEnv, isPatient: boolean }} options
 */
async function consumer(script, args, options) {
  copyFileSync(fileURLToPath(new URL(`./${script}`, import.meta.url)), join(options.cwd, script));
  await runOrFail(script, 'node', [script, ...args], options);
  return { passed: 1, failed: 0 };
}

const publishing = ['publish', '--ignore-scripts', '--loglevel=error'];

/**
 * One npm for all.
 *
 * @param {string} parent The folder that their folders are in.
 * @param {Registry} registry
 */
async function publishFolders(parent, { env }) {
  writeFileSync(join(parent, 'package.json'), '{ "private": true, "workspaces": ["*"] }\n');
  await runOrFail('npm publish', 'npm', [...publishing, '--workspaces'], { cwd: parent, env, isPatient: true });
}

/**
 * As they are released, which npm does for one tarball at a time.
 *
 * @param {readonly PackedPackage[]} packages
 * @param {Registry} registry
 */
async function publishTarballs(packages, { env }) {
  const waiting = packages.map(({ tarball }) => tarball);
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await runOrFail(`npm publish ${next}`, 'npm', [...publishing, next], { env, isPatient: true });
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/**
 * A package as its version before would have been: another number wherever it says its own.
 *
 * @param {PackedPackage} packed
 * @param {string} parent
 */
async function asVersionBefore({ tarball, manifest }, parent) {
  const folder = join(parent, manifest.name);
  mkdirSync(folder, { recursive: true });
  await runOrFail('tar', 'tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  for (const file of filesIn(folder)) {
    if (!/\.(c?js|json|d\.c?ts)$/.test(file)) continue;
    const text = readFileSync(file, 'utf8');
    const older = text
      .replaceAll(`"${manifest.version}"`, `"${VERSION_BEFORE}"`)
      .replaceAll(`'${manifest.version}'`, `'${VERSION_BEFORE}'`);
    if (older !== text) writeFileSync(file, older);
  }
}

/** @param {string} folder @returns {string[]} */
function filesIn(folder) {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]));
}

/**
 * A registry on loopback that keeps our packages and asks npm's own for the rest.
 *
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Registry>}
 */
async function startRegistry(folder, env) {
  const asked = (/** @type {string} */ name) => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8', cwd: folder }).trim();
  const port = freePort(env);
  const config = join(folder, 'registry.yaml');
  writeFileSync(config, configOf(folder, asked('registry')));
  const program = join(registryFolder, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
  // The Node of `env`: the one that runs these scripts may be too old for it.
  // Where npm is told whom to trust, what asks npm's registry in its place has to be told as well.
  const cafile = asked('cafile');
  const trusting = cafile === '' || cafile === 'null' ? env : { ...env, NODE_EXTRA_CA_CERTS: cafile };
  const child = spawn('node', [program, '--config', config, '--listen', `127.0.0.1:${port}`], { stdio: 'pipe', env: trusting });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}/`;
  for (const deadline = Date.now() + 60_000; ; ) {
    if (
      await fetch(`${url}-/ping`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    if (child.exitCode !== null || Date.now() > deadline) throw new StepFailed('The registry did not start', output);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    env: {
      ...env,
      npm_config_registry: url,
      // It takes anybody's word; npm wants to show one.
      [`npm_config_//127.0.0.1:${port}/:_authToken`]: 'rehearsal',
      // Not the user's: what a registry of one hour said, and what npx unpacked from it, would stay there.
      npm_config_cache: join(folder, 'cache'),
      npm_config_update_notifier: 'false',
    },
    said: () => output,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** @param {string} folder @param {string} upstream */
const configOf = (folder, upstream) => `
storage: ${JSON.stringify(join(folder, 'storage'))}
auth: { htpasswd: { file: ${JSON.stringify(join(folder, 'htpasswd'))} } }
# By default two failed requests silence it for five minutes, and whatever is not ours is then not there.
uplinks: { upstream: { url: ${JSON.stringify(upstream)}, timeout: 60s, maxage: 60m, max_fails: 1000, fail_timeout: 1s } }
packages:
  'agent-relay*': { access: $all, publish: $all }
  '**': { access: $all, proxy: upstream }
max_body_size: 100mb
log: { type: stdout, format: pretty, level: warn }
`;

/**
 * One that the system gives to nobody before the registry listens there. The Node of `env` is asked: the one that runs these scripts may be too old for
 * our sources.
 *
 * @param {NodeJS.ProcessEnv} env
 */
function freePort(env) {
  const source = new URL('../../packages/testing/src/endpoint/free-port.ts', import.meta.url).href;
  const script = `const { freePort } = await import(${JSON.stringify(source)}); console.log(await freePort());`;
  return Number(execFileSync('node', ['--input-type=module', '--eval', script], { encoding: 'utf8', env }));
}
