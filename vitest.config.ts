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

// Node runs the sources as they are; packages resolve to each other's, and nothing is built.
const native = { experimental: { viteModuleRunner: false, nodeLoader: false } };

/** Each keeps one processor busy for minutes, and measures nothing but what its own relay holds. */
const long = ['crash/crash.test.ts', 'fuzz/fuzz.test.ts'];
/** It measures how soon a page draws. */
const alone = ['dashboard/flood.test.ts'];

export default defineConfig({
  test: {
    // A file's tests leave nothing behind in their process: evaluating the sources anew for each file took two thirds of the processor's time.
    isolate: false,
    // These tests wait for processes and sockets more than they compute: on two processors three files at a time leave 5 % of them idle.
    maxWorkers: Math.max(3, availableParallelism()),
    projects: [
      // One for all packages: each has its own copy of what it loads, in the server and in each worker.
      {
        ...source,
        test: {
          ...limits,
          ...native,
          name: 'sources',
          include: ['packages/*/{src,test}/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts'],
        },
      },
      { ...source, test: { ...limits, name: 'dashboard', root: 'apps/dashboard', include: ['{src,test}/**/*.test.{ts,tsx}'] } },
      // The built programs, the real CLIs, a real browser.
      {
        ...source,
        test: {
          ...limits,
          ...native,
          name: 'e2e',
          root: 'e2e',
          include: ['**/*.test.ts'],
          exclude: [...defaultExclude, ...long, ...alone],
        },
      },
      // Two at a time, and then the machine for one.
      {
        ...source,
        test: { ...limits, ...native, name: 'e2e-long', root: 'e2e', include: long, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        ...source,
        test: { ...limits, ...native, name: 'e2e-alone', root: 'e2e', include: alone, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
