import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defaultExclude, defineConfig } from 'vitest/config';

const conditions = ['agent-relay-source'];
const source = {
  resolve: { conditions },
  ssr: { resolve: { conditions: [...conditions, 'node', 'import', 'module', 'default'] } },
};
// Tests start the programs hundreds of times, each in a home of its own: where Node would keep what it compiled is empty there.
const env = { NODE_COMPILE_CACHE: resolve('node_modules/.cache/agent-relay/compiled') };
// Room for a busy machine: a test that passes does not wait.
const expectLimits = { poll: { timeout: 60_000 } };
const limits = { env, testTimeout: 180_000, hookTimeout: 120_000, expect: expectLimits };

/** They take the whole machine, or measure it. */
const alone = ['crash/crash.test.ts', 'dashboard/flood.test.ts', 'fuzz/fuzz.test.ts'];

interface Folder {
  readonly name: string;
  readonly root: string;
  readonly include: readonly string[];
}

/** Whose tests run from source; nothing is built. Packages resolve to each other's sources. */
function sourceFolders(): readonly Folder[] {
  const names = readdirSync('packages').filter((name) => existsSync(`packages/${name}/package.json`));
  const include = ['src/**/*.test.{ts,tsx}', 'test/**/*.test.{ts,tsx}'];
  return [
    ...names.map((name) => ({ name, root: `packages/${name}`, include })),
    { name: 'dashboard', root: 'apps/dashboard', include },
    { name: 'examples', root: 'examples/provider', include: ['test/**/*.test.ts'] },
    { name: 'bench', root: 'bench', include: ['**/*.test.ts'] },
  ];
}

/** A project for each: `vitest run --project server`. */
const projectsOf = (folders: readonly Folder[]) =>
  folders.map(({ name, root, include }) => ({ ...source, test: { ...limits, name, root, include: [...include] } }));

/** All in one. A worker serves one project, and each worker that starts evaluates the protocol and what stands on it anew. */
const oneProjectOf = (folders: readonly Folder[]) => {
  const include = folders.flatMap(({ root, include }) => include.map((pattern) => `${root}/${pattern}`));
  return [{ ...source, test: { ...limits, name: 'sources', root: '.', include } }];
};

// Set by what runs all of them.
const arrange = process.env['AGENT_RELAY_TEST_AS_ONE'] === '1' ? oneProjectOf : projectsOf;

export default defineConfig({
  test: {
    // A file's tests leave nothing behind in their process: evaluating the sources anew for each file took two thirds of the processor's time.
    isolate: false,
    // These tests wait for processes and sockets more than they compute: on two processors three files at a time leave 5 % of them idle.
    maxWorkers: Math.max(3, availableParallelism()),
    projects: [
      ...arrange(sourceFolders()),
      { test: { ...limits, name: 'repository', root: '.', include: ['test/**/*.test.ts'] } },
      // The built programs, the real CLIs, a real browser.
      { ...source, test: { ...limits, name: 'e2e', root: 'e2e', include: ['**/*.test.ts'], exclude: [...defaultExclude, ...alone] } },
      {
        ...source,
        test: { ...limits, name: 'e2e-alone', root: 'e2e', include: alone, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
