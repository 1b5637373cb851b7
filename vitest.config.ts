import { defineConfig } from 'vitest/config';

const packages = ['protocol', 'wire', 'provider', 'claude', 'codex-app-server', 'host', 'client', 'connect', 'server', 'testing'];
const source = {
  resolve: { conditions: ['agent-relay-source'] },
  ssr: { resolve: { conditions: ['agent-relay-source', 'node', 'import', 'module', 'default'] } },
};
const shared = { testTimeout: 20_000, hookTimeout: 30_000 };

export default defineConfig({
  test: {
    projects: [
      ...packages.map((name) => ({
        ...source,
        test: { ...shared, name, root: `packages/${name}`, include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
      })),
      { test: { ...shared, name: 'repository', root: '.', include: ['test/**/*.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'e2e',
          root: 'e2e',
          include: ['**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
