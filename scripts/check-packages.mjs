// Packs every published package and uses the tarballs as a stranger would. By hand: `node scripts/check-packages.mjs`
// after a build.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installLocked } from './lib/npm-folder.mjs';
import { rehearsePublishing } from './lib/rehearsal.mjs';
import { Report } from './lib/report.mjs';
import { rootFolder, runOrFail, StepFailed } from './lib/run.mjs';
import { prepareToolchain, workspacePackages } from './lib/toolchain.mjs';

/** @typedef {import('./lib/toolchain.mjs').Toolchain} Toolchain */
/** @typedef {import('./lib/report.mjs').CheckResult} CheckResult */
/**
 * @typedef {object} PackedPackage
 * @property {string} tarball
 * @property {{ name: string, version: string, bin?: Record<string, string>, exports?: Record<string, unknown>, peerDependencies?: Record<string, string> }} manifest As packed.
 */

const nodesFolder = join(rootFolder, 'tools', 'nodes');
const servingMajors = [22, 24, 26];
/** Past its end: npm gives it better-sqlite3 12, which would have to be compiled. It is tried as a client's Node, of a relay on another. */
const clientMajor = 20;
const relayMajor = 24;

/**
 * What the licences of libraries ask for that a package carries inside its own files.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const notices = {
  'agent-relay-plugin': ['dist/third-party-notices.txt'],
  'agent-relay-codex': ['dist/third-party-notices.txt'],
  'agent-relay-claude': ['dist/third-party-notices.txt'],
  'agent-relay-channel-telegram': ['dist/third-party-notices.txt'],
  'agent-relay-channel-webhook': ['dist/third-party-notices.txt'],
  'agent-relay-server': ['dist/third-party-notices.txt', 'dist/dashboard/third-party-notices.txt'],
};

/**
 * @param {{ folder: string, manifest: { name: string } }} workspacePackage
 * @param {Toolchain} toolchain
 * @param {string} target
 * @returns {Promise<PackedPackage>}
 */
async function pack({ folder, manifest }, { env }, target) {
  const { output } = await runOrFail(`pnpm pack ${manifest.name}`, 'pnpm', ['pack', '--pack-destination', target, '--json'], {
    cwd: folder,
    env,
  });
  /** @type {{ filename: string }} */
  const packed = JSON.parse(output.slice(output.indexOf('{')));
  const text = await runOrFail('tar', 'tar', ['-xzOf', packed.filename, 'package/package.json']);
  return { tarball: packed.filename, manifest: JSON.parse(text.output) };
}

/**
 * What must be in every tarball, and what must not.
 *
 * @param {PackedPackage} packed
 */
async function contentFaults({ tarball, manifest }) {
  const { output } = await runOrFail('tar', 'tar', ['-tzf', tarball]);
  const files = output
    .trim()
    .split('\n')
    .map((name) => name.replace(/^package\//, ''));
  const missing = ['README.md', 'LICENSE', ...(notices[manifest.name] ?? []), ...Object.values(manifest.bin ?? {})].filter(
    (name) => !files.includes(name.replace(/^\.\//, '')),
  );
  const unwanted = files.filter(
    (name) =>
      /(^|\/)(src|test|node_modules)\/|\.test\.|\.tsbuildinfo$/.test(name) || (/\.[cm]?ts$/.test(name) && !/\.d\.[cm]?ts$/.test(name)),
  );
  const text = JSON.stringify(manifest);
  const leftovers = ['workspace:', 'catalog:', 'agent-relay-source'].filter((word) => text.includes(word));
  return [
    ...missing.map((name) => `${name} is missing`),
    ...unwanted.map((name) => `${name} does not belong into the package`),
    ...leftovers.map((word) => `package.json still says ${word}`),
  ];
}

/**
 * What its tools find in each tarball, in their order.
 *
 * @param {readonly PackedPackage[]} packages
 * @param {Toolchain} toolchain
 * @returns {Promise<readonly string[][]>}
 */
async function toolFaults(packages, { env }) {
  const program = fileURLToPath(new URL('./lib/tarball-faults.mjs', import.meta.url));
  const { output } = await runOrFail('looking into the tarballs', 'node', [program, ...packages.map(({ tarball }) => tarball)], { env });
  return JSON.parse(output.slice(output.lastIndexOf('\n', output.length - 2) + 1));
}

/**
 * @param {PackedPackage} packed
 * @param {readonly string[]} found By the tools.
 * @returns {Promise<CheckResult>}
 */
async function checkTarball(packed, found) {
  const faults = [...(await contentFaults(packed)), ...found];
  return faults.length === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, output: faults.join('\n') };
}

/** @param {number} major */
const nodeFolder = (major) => join(nodesFolder, 'node_modules', `node-${major}-${process.platform}-${process.arch}`);

/**
 * @param {string} parent
 * @param {number} major
 */
const projectFolder = (parent, major) => join(parent, `consumer-${major}`);

// What npm tells its scripts about the checkout would point the consumer's npm back into it.
function environmentOf(/** @type {number} */ major) {
  const folder = nodeFolder(major);
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local|config_nodedir)/i.test(name)),
  );
  // The headers that come with this Node, for whatever a dependency compiles.
  return { ...inherited, PATH: [join(folder, 'bin'), process.env['PATH']].join(delimiter), npm_config_nodedir: folder };
}

/** The names a consumer may import; a suite for Vitest loads only inside Vitest. */
function importableNames(/** @type {readonly PackedPackage[]} */ packages) {
  return packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {})
      .filter(
        (subpath) => subpath !== './package.json' && !(subpath === './testing' && manifest.peerDependencies?.['vitest'] !== undefined),
      )
      .map((subpath) => join(manifest.name, subpath)),
  );
}

/**
 * Installs all tarballs together into an empty project and imports, requires and starts what is in them.
 *
 * @param {number} major
 * @param {readonly PackedPackage[]} packages
 * @param {string} parent
 * @returns {Promise<CheckResult>}
 */
async function checkConsumer(major, packages, parent) {
  if (!existsSync(nodeFolder(major))) {
    return { passed: 0, failed: 0, skipped: [`npm has no Node ${major} for ${process.platform} ${process.arch}`] };
  }
  const project = projectFolder(parent, major);
  mkdirSync(project);
  const dependencies = Object.fromEntries(packages.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, dependencies }));
  const options = { cwd: project, env: environmentOf(major), isPatient: true };
  const install = ['install', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
  await runOrFail('npm install', 'npm', major === clientMajor ? [...install, '--ignore-scripts'] : install, options);

  for (const name of ['consumer-imports.mjs', 'consumer-serve.mjs', 'consumer-client.mjs']) {
    copyFileSync(fileURLToPath(new URL(`./lib/${name}`, import.meta.url)), join(project, name));
  }
  await runOrFail('importing', 'node', ['consumer-imports.mjs', ...importableNames(packages)], options);
  for (const { manifest } of packages) {
    for (const name of Object.keys(manifest.bin ?? {})) {
      const file = join(project, 'node_modules', '.bin', name);
      const { output } = await runOrFail(`${name} --version`, file, ['--version'], options);
      if (!output.includes(manifest.version)) throw new StepFailed(`${name} --version does not say ${manifest.version}`, output);
      if (major === clientMajor) await runOrFail(`${name} --help`, file, ['--help'], options);
    }
  }
  if (major === clientMajor) {
    const relay = [
      join(nodeFolder(relayMajor), 'bin', 'node'),
      join(projectFolder(parent, relayMajor), 'node_modules', '.bin', 'agent-relay'),
    ];
    await runOrFail('a client of a relay', 'node', ['consumer-client.mjs', ...relay], options);
  } else {
    await runOrFail('agent-relay serve', 'node', ['consumer-serve.mjs'], options);
  }
  return { passed: 1, failed: 0 };
}

/**
 * Adds one check per tarball and one per Node major.
 *
 * @param {Toolchain} toolchain
 * @param {Report} report
 */
export async function checkPackages(toolchain, report) {
  const target = mkdtempSync(join(tmpdir(), 'agent-relay-pack-'));
  try {
    /** @type {PackedPackage[]} */
    const packages = [];
    const isPacked = await report.check('pack', async () => {
      for (const each of workspacePackages()) {
        if (each.manifest.private !== true) packages.push(await pack(each, toolchain, target));
      }
      await installLocked(nodesFolder, { title: 'Installing the Node.js versions to try the packages on' });
      return { passed: 1, failed: 0 };
    });
    if (!isPacked) return;
    /** @type {readonly string[][]} */
    let found = [];
    await report.check('what publint and "are the types wrong?" say', async () => {
      found = await toolFaults(packages, toolchain);
      return { passed: 1, failed: 0 };
    });
    for (const [index, each] of packages.entries())
      await report.check(`package ${each.manifest.name}`, () => checkTarball(each, found[index] ?? []));
    const folder = join(target, 'rehearsal');
    mkdirSync(folder);
    await rehearsePublishing(packages, { folder, env: environmentOf(relayMajor), report });
    for (const major of [...servingMajors, clientMajor]) {
      await report.check(`packages on Node ${major}`, () => checkConsumer(major, packages, target));
    }
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = new Report();
  await checkPackages(await prepareToolchain(console.log), report);
  process.exitCode = report.finish();
}
