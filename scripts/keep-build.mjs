// `node scripts/keep-build.mjs COMMIT`: keeps what nodes and clients were as of a commit, as the fixture of e2e/neighbours.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'tsup';
import { rootFolder } from './lib/run.mjs';

const fixtures = join(rootFolder, 'e2e', 'neighbours', 'fixtures');

/** What the tests use of it. `earlier-build.d.mts` says it in types. */
const contents = `
export { runNode } from 'agent-relay-connect';
export { createNodeRelayClient } from 'agent-relay-client/node';
export { PROTOCOL_VERSION, RELAY_VERSION } from 'agent-relay-protocol';
export { SessionEvents } from 'agent-relay-provider';
`;

/**
 * @param {readonly string[]} args
 * @param {Buffer} [input]
 */
function runSync([command = '', ...args], input) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: rootFolder, maxBuffer: 1 << 28, ...(input && { input }) });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed: ${stderr}`);
  return stdout;
}

/**
 * Our packages are those of the commit, whatever is installed; everything else stays an import.
 *
 * @param {string} folder
 * @returns {NonNullable<import('tsup').Options['esbuildPlugins']>}
 */
const packagesOf = (folder) => [
  {
    name: 'packages-of-the-commit',
    setup({ onResolve }) {
      onResolve({ filter: /^agent-relay-/ }, ({ path }) => {
        const [name = '', ...entry] = path.split('/');
        const home = join(folder, 'packages', name.replace('agent-relay-', ''));
        const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
        return { path: join(home, exports[['.', ...entry].join('/')]['agent-relay-source']), sideEffects: false };
      });
      // Named, not ended by what it is: what only a part that is left out imports goes with that part.
      onResolve({ filter: /^[a-z@]/ }, ({ path, kind }) =>
        kind === 'entry-point' ? undefined : { path, external: true, sideEffects: false },
      );
    },
  },
];

/** @param {string} name */
async function keep(name) {
  const commit = String(runSync(['git', 'rev-parse', '--verify', `${name}^{commit}`])).trim();
  const folder = mkdtempSync(join(tmpdir(), 'keep-build-'));
  try {
    runSync(['tar', '-x', '-C', folder], runSync(['git', 'archive', commit, 'packages', 'tsconfig.base.json']));
    const entry = join(folder, 'earlier-build.ts');
    writeFileSync(entry, contents);
    await build({
      config: false,
      entry: [entry],
      format: ['esm'],
      target: 'node20',
      outDir: join(folder, 'kept'),
      outExtension: () => ({ js: '.mjs' }),
      tsconfig: join(folder, 'tsconfig.base.json'),
      noExternal: [/^agent-relay-/],
      esbuildPlugins: packagesOf(folder),
      silent: true,
    });
    const text = readFileSync(join(folder, 'kept', 'earlier-build.mjs'), 'utf8');
    mkdirSync(fixtures, { recursive: true });
    const origin = `// Made by scripts/keep-build.mjs from ${commit}; see the README beside this folder.`;
    // Which packages lay where is of no interest, and another folder each time.
    writeFileSync(join(fixtures, 'earlier-build.mjs'), `${origin}\n/* oxlint-disable */\n${text.replace(/^\/\/ .*\n/gmu, '')}`);
    console.log(`kept ${commit}: ${Math.round(text.length / 1024)} KiB`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [name] = process.argv.slice(2);
if (name === undefined) {
  console.error('usage: node scripts/keep-build.mjs COMMIT');
  process.exitCode = 2;
} else await keep(name);
