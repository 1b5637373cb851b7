// The Node and the pnpm that build this workspace, its dependencies and its build.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { installLocked } from './npm-folder.mjs';
import { rootFolder, run, runOrFail, StepFailed } from './run.mjs';

/**
 * @typedef {object} Toolchain
 * @property {string} node The Node.js that runs the tools.
 * @property {NodeJS.ProcessEnv} env The environment of the tools: this Node and pnpm come first on PATH.
 */
/** @typedef {(sentence: string) => void} Tell */

const toolsFolder = join(rootFolder, 'tools');
const executable = process.platform === 'win32' ? 'node.exe' : 'bin/node';
const bundledNode = join(
  toolsFolder,
  'node_modules',
  `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`,
  executable,
);

/** @param {number} seconds */
const took = (seconds) => `${seconds.toFixed(1)} s`;

/**
 * Whether a Node.js runs the build tools and the database: better-sqlite3's prebuilt binary needs Node-API 10 and ends
 * an older process with a segmentation fault.
 *
 * @param {Pick<NodeJS.ProcessVersions, 'node'> & { napi?: string | undefined }} versions
 */
export function runsTheTools({ node, napi }) {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const isSupported = major >= 26 || (major === 24 && minor >= 11) || (major === 22 && minor >= 18);
  return isSupported && Number(napi ?? 0) >= 10;
}

/**
 * Makes Node and pnpm available, installing what the machine lacks into `tools/node_modules`.
 *
 * @param {Tell} tell
 * @returns {Promise<Toolchain>}
 */
export async function prepareToolchain(tell) {
  const isOwnNodeFit = runsTheTools(process.versions);
  const title = isOwnNodeFit ? 'Installing pnpm' : 'Installing Node.js 24 and pnpm';
  const seconds = await installLocked(toolsFolder, { title, omitOptional: isOwnNodeFit });
  if (!isOwnNodeFit && !existsSync(bundledNode)) {
    throw new StepFailed(
      `building needs Node.js ^22.18, ^24.11 or >=26; this is ${process.versions.node}, and npm has none for ${process.platform} ${process.arch}: please install one of these.`,
    );
  }
  if (seconds > 0) tell(`${isOwnNodeFit ? 'pnpm' : 'Node.js 24 and pnpm'} installed into tools/ (${took(seconds)})`);
  const node = isOwnNodeFit ? process.execPath : bundledNode;
  const path = [dirname(node), join(toolsFolder, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
  return { node, env: { ...process.env, ...plain, PATH: path, TURBO_TELEMETRY_DISABLED: '1' } };
}

/** The folders under packages/ with their package.json. */
export function workspacePackages() {
  return readdirSync(join(rootFolder, 'packages')).flatMap((name) => {
    const folder = join(rootFolder, 'packages', name);
    const manifestPath = join(folder, 'package.json');
    if (!existsSync(manifestPath)) return [];
    /** @type {{ name: string, version: string, private?: boolean, bin?: Record<string, string> }} */
    const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
    return [{ folder, manifest }];
  });
}

// pnpm links a bin only if its file exists at install time, which is before the first build: without these files
// `npx agent-relay-server` would not be found until somebody installs again. The build replaces them.
function createMissingBins() {
  for (const { folder, manifest } of workspacePackages()) {
    for (const [name, path] of Object.entries(manifest.bin ?? {})) {
      const file = join(folder, path);
      if (existsSync(file)) continue;
      mkdirSync(dirname(file), { recursive: true });
      const sentence = `${name} is not built yet: run npm start in the checkout first.`;
      writeFileSync(file, `#!/usr/bin/env node\nconsole.error(${JSON.stringify(sentence)});\nprocess.exit(1);\n`, { mode: 0o755 });
    }
  }
}

/**
 * Installs the workspace's dependencies exactly as locked.
 *
 * @param {Toolchain} toolchain
 * @param {Tell} tell
 */
export async function installWorkspace({ env }, tell) {
  createMissingBins();
  tell('installing dependencies');
  const { seconds } = await runOrFail(
    'pnpm install',
    'pnpm',
    ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'],
    { env },
  );
  tell(`dependencies installed (${took(seconds)})`);
}

/**
 * Whether nothing is left to build by what turbo plans (`--dry=json`), whatever it prints around that.
 *
 * @param {string} printed
 */
export function isAllBuilt(printed) {
  try {
    /** @type {{ tasks: { command: string, cache: { status: string } }[] }} */
    const { tasks } = JSON.parse(printed.slice(printed.indexOf('{'), printed.lastIndexOf('}') + 1));
    // A package without a build has a task too, and nothing in the cache.
    return tasks.every(({ command, cache }) => command === '<NONEXISTENT>' || cache.status === 'HIT');
  } catch {
    return false;
  }
}

/**
 * Builds every package; what has not changed comes from turbo's local cache.
 *
 * @param {Toolchain} toolchain
 * @param {Tell} tell
 * @param {readonly ('build' | 'types')[]} [tasks] Types are for those who build against the packages, and no program runs them.
 */
export async function buildWorkspace({ env }, tell, tasks = ['build']) {
  const turbo = join(rootFolder, 'node_modules', '.bin', 'turbo');
  const { output: plan } = await run(turbo, ['run', ...tasks, '--dry=json'], { env });
  const hasAll = isAllBuilt(plan);
  if (!hasAll) tell('building; this takes a minute or two');
  const { seconds } = await runOrFail('The build', turbo, ['run', ...tasks, '--output-logs=errors-only'], { env });
  tell(hasAll ? `packages and dashboard are built already (${took(seconds)})` : `packages and dashboard built (${took(seconds)})`);
}
