import { expect, test } from 'vitest';
import { fileRules } from './file-rules.ts';
import { folderRules } from './folder-rules.ts';
import { packageRules } from './package-rules.ts';
import { parseSource } from './source-facts.ts';
import { createWorkspace, type Manifest, type WorkspacePackage } from './workspace.ts';

// Each rule is broken once here: a rule that cannot be broken protects nothing.

const source = (path: string) => ({ 'agent-relay-source': path });

function packageIn(folder: string, manifest: Partial<Manifest> = {}): WorkspacePackage {
  const name = `agent-relay-${folder.slice(folder.lastIndexOf('/') + 1)}`;
  return { folder, manifest: { name, exports: { '.': source('./src/index.ts'), './node': source('./src/node.ts') }, ...manifest } };
}

const ours = (...names: string[]) => ({ dependencies: Object.fromEntries(names.map((name) => [`agent-relay-${name}`, 'workspace:*'])) });

const packages = [
  packageIn('packages/protocol', { dependencies: { zod: 'catalog:' } }),
  packageIn('packages/wire', ours('protocol')),
  packageIn('packages/client', ours('protocol', 'wire')),
  packageIn('packages/claude', ours('protocol', 'wire', 'provider')),
  packageIn('packages/server', {
    dependencies: { ...ours('protocol', 'wire', 'client', 'connect').dependencies, 'better-sqlite3': 'catalog:' },
  }),
  packageIn('packages/connect', ours('host')),
  packageIn('apps/dashboard', ours('protocol', 'client')),
];

/** Claim → files in which it does not hold, and the complaint that must be made. */
const breaches: Readonly<Record<string, { texts: Record<string, string>; complaint: string; packages?: WorkspacePackage[] }>> = {
  'every package has a row in the table of who may import whom': {
    texts: {},
    packages: [packageIn('packages/unheard-of')],
    complaint: 'packages/unheard-of has none',
  },
  'a package depends only on those of our packages that its row names': {
    texts: {},
    packages: [packageIn('packages/wire', ours('client'))],
    complaint: 'packages/wire depends on agent-relay-client',
  },
  'a file imports only those of our packages that its package may': {
    texts: { 'packages/server/src/relay/mail/messages.ts': `import { connectRelay } from 'agent-relay-client';` },
    complaint: 'packages/server/src/relay/mail/messages.ts imports agent-relay-client',
  },
  'the relay never imports the package that runs agents': {
    texts: { 'packages/server/src/cli/serve.ts': `const { main } = await import('agent-relay-connect');` },
    complaint: 'packages/server/src/cli/serve.ts imports agent-relay-connect',
  },
  'protocol stands on zod and nothing else': {
    texts: { 'packages/protocol/src/index.ts': `import { ulid } from 'ulid';` },
    complaint: 'packages/protocol/src/index.ts imports ulid',
  },
  'every imported package is declared in the package.json beside it': {
    texts: { 'packages/wire/src/sse.ts': `import { z } from 'zod';` },
    complaint: 'packages/wire/src/sse.ts imports zod, which its package.json does not name',
  },
  'every package that a package.json names is imported by a file beside it': {
    texts: { 'packages/wire/src/sse.ts': 'export const sse = 1;' },
    complaint: 'packages/wire names agent-relay-protocol, which none of its files imports',
  },
  "no file reaches into another package's inner files": {
    texts: { 'packages/client/src/calls.ts': `import { routes } from '../../protocol/src/routes.ts';` },
    complaint: 'packages/client/src/calls.ts imports ../../protocol/src/routes.ts',
  },
  'the roots of protocol, wire and client run in a browser: nothing they reach is made for Node alone': {
    texts: {
      'packages/client/src/index.ts': `export { connect } from './link.ts';`,
      'packages/client/src/link.ts': `import { dial } from 'agent-relay-wire';`,
      'packages/wire/src/index.ts': `export { dial } from './dial.ts';`,
      'packages/wire/src/dial.ts': `import type { Socket } from 'node:net';`,
    },
    complaint:
      'packages/client/src/index.ts → packages/client/src/link.ts → packages/wire/src/index.ts → packages/wire/src/dial.ts imports node:net',
  },
  'the dashboard uses no module of Node': {
    texts: { 'apps/dashboard/src/main.tsx': `import { join } from 'node:path';` },
    complaint: 'apps/dashboard/src/main.tsx imports node:path',
  },
  'no files import each other in a circle, types included': {
    texts: { 'packages/wire/src/a.ts': `import './b.ts';`, 'packages/wire/src/b.ts': `import type { A } from './a.ts';` },
    complaint:
      'packages/wire/src/a.ts → packages/wire/src/b.ts → packages/wire/src/a.ts: move what they share into a file of its own, which imports none of them',
  },
  'rules are pure: the domain imports only itself, the words of the protocol and how texts are put': {
    texts: { 'packages/server/src/domain/claim.ts': `import { randomUUID } from 'node:crypto';` },
    complaint: 'packages/server/src/domain/claim.ts imports node:crypto',
  },
  'rules are pure: the domain has no clock, no randomness and no world': {
    texts: { 'packages/server/src/domain/claim.ts': `export const isStale = (lease: number) => lease < Date.now();` },
    complaint: 'packages/server/src/domain/claim.ts uses Date.now',
  },
  'a workspace comes from who asks, or from what the store has: only the composition root names one': {
    texts: { 'packages/server/src/relay/work/work.ts': `import { DEFAULT_WORKSPACE } from 'agent-relay-protocol';` },
    complaint: 'packages/server/src/relay/work/work.ts names DEFAULT_WORKSPACE',
  },
  'what a tool may do is judged by the one rule of the kit: no vendor looks at guarded paths itself': {
    texts: { 'packages/claude/src/provider/tool-policy.ts': `import { editRefusal } from 'agent-relay-provider';` },
    complaint: 'packages/claude/src/provider/tool-policy.ts says editRefusal: ask judgeTool',
  },
  'only use cases call the store': {
    texts: {
      'packages/server/src/transports/http/app.ts': `import type { Store } from '../../store/store.ts';`,
      'packages/server/src/store/store.ts': 'export interface Store {}',
    },
    complaint: 'packages/server/src/transports/http/app.ts imports store/store.ts',
  },
  'use cases know no transport and no command': {
    texts: {
      'packages/server/src/relay/mail/messages.ts': `import { respond } from '../../transports/http/app.ts';`,
      'packages/server/src/transports/http/app.ts': 'export const respond = 1;',
    },
    complaint: 'packages/server/src/relay/mail/messages.ts imports transports/http/app.ts',
  },
  'the rooms of the relay stand one above the other': {
    texts: {
      'packages/server/src/relay/mail/messages.ts': `import type { Claims } from '../work/claims.ts';`,
      'packages/server/src/relay/work/claims.ts': `import type { Inboxes } from '../mail/inboxes.ts'; export interface Claims {}`,
      'packages/server/src/relay/mail/inboxes.ts': 'export interface Inboxes {}',
    },
    complaint: 'relay/ goes round: mail → work → mail: what follows for another room is decided in domain/',
  },
  'a decision looks at what it is shown: at no store, no index and no readers of its own': {
    texts: {
      'packages/server/src/relay/pairs/pairs.ts': `
        const { index } = store.agents;
        await this.#deps.store.records.change(resource, workspace, 1, (pair) => (readers.of(principal).mayReadPair(pair) ? pair : null));`,
    },
    complaint: 'packages/server/src/relay/pairs/pairs.ts decides by readers',
  },
  'a decision answers what it came to: it may run twice, and what it wrote elsewhere the first time would stay': {
    texts: {
      'packages/server/src/relay/pairs/pairs.ts': `
        let isNew = false;
        await this.#deps.store.records.change(resource, workspace, 1, (pair) => {
          let found = null;
          found = pair;
          isNew = true;
          return { answer: found, change: null };
        });`,
    },
    complaint: 'packages/server/src/relay/pairs/pairs.ts decides and assigns to isNew',
  },
  'the store knows neither use cases nor readers': {
    texts: {
      'packages/server/src/store/sqlite/writer.ts': `import { feed } from '../../events/event-feed.ts';`,
      'packages/server/src/events/event-feed.ts': 'export const feed = 1;',
    },
    complaint: 'packages/server/src/store/sqlite/writer.ts imports events/event-feed.ts',
  },
  'what commands do to a machine needs no relay': {
    texts: {
      'packages/server/src/operations/restore.ts': `import { startServer } from '../start-server.ts';`,
      'packages/server/src/start-server.ts': 'export const startServer = 1;',
    },
    complaint: 'packages/server/src/operations/restore.ts imports start-server.ts',
  },
  'a transport leaves decisions to the use cases': {
    texts: {
      'packages/server/src/transports/mcp/tools.ts': `import { audienceOf } from '../../domain/audience.ts';`,
      'packages/server/src/domain/audience.ts': 'export const audienceOf = 1;',
    },
    complaint: 'packages/server/src/transports/mcp/tools.ts imports domain/audience.ts',
  },
  'an exported name means one thing': {
    texts: {
      'packages/wire/src/sse.ts': 'export class Notice {}',
      'packages/protocol/src/notice.ts': 'export const other = 1;\nexport interface Notice {}',
    },
    complaint: 'packages/wire/src/sse.ts and packages/protocol/src/notice.ts export Notice',
  },
  'which engine keeps the databases is said in one place': {
    texts: { 'packages/server/src/cli/doctor.ts': `const { SqliteStore } = await import('../store/sqlite/sqlite-store.ts');` },
    complaint: 'packages/server/src/cli/doctor.ts imports ../store/sqlite/sqlite-store.ts',
  },
  'better-sqlite3 is imported in the SQLite store and nowhere else': {
    texts: { 'packages/server/src/relay/relay.ts': `import Database from 'better-sqlite3';` },
    complaint: 'packages/server/src/relay/relay.ts imports better-sqlite3',
  },
  'a client command of the CLI never loads SQLite': {
    texts: {
      'packages/server/src/cli.ts': `import { serve } from './cli/serve.ts';`,
      'packages/server/src/cli/serve.ts': `import { open } from '../store/sqlite/open.ts';`,
      'packages/server/src/store/sqlite/open.ts': `import Database from 'better-sqlite3';`,
    },
    complaint:
      'packages/server/src/cli.ts → packages/server/src/cli/serve.ts → packages/server/src/store/sqlite/open.ts imports better-sqlite3',
  },
  'the relay names no vendor outside its commands': {
    texts: { 'packages/server/src/relay/sessions/sessions.ts': `if (provider === 'claude') resume();` },
    complaint: 'packages/server/src/relay/sessions/sessions.ts says claude',
  },
  "a vendor's wire knows nothing of the relay: only its provider half knows the provider contract": {
    texts: { 'packages/claude/src/sdk/frames.ts': `import type { Provider } from 'agent-relay-provider';` },
    complaint: 'packages/claude/src/sdk/frames.ts imports agent-relay-provider',
  },
  'the clock, the environment and the console are used at the composition roots alone': {
    texts: { 'packages/wire/src/backoff.ts': `const { env } = process; if (process.env['DEBUG']) console.log(1);` },
    complaint: 'packages/wire/src/backoff.ts uses process.env',
  },
  'a file is imported by its own name, never through an index': {
    texts: { 'packages/wire/src/sse.ts': `import { decode } from './index.ts';` },
    complaint: 'packages/wire/src/sse.ts imports ./index.ts',
  },
  'public names are listed one by one': {
    texts: { 'packages/wire/src/index.ts': `export * from './sse.ts';` },
    complaint: 'packages/wire/src/index.ts says export * from',
  },
  'a relative import carries its ending': {
    texts: { 'packages/wire/src/sse.ts': `import { decode } from './decode';` },
    complaint: 'packages/wire/src/sse.ts imports ./decode',
  },
  'a source file has at most 500 lines': {
    texts: { 'packages/wire/src/sse.ts': '\n'.repeat(500) },
    complaint: 'packages/wire/src/sse.ts has 501: is it still one reason to change?',
  },
  'a function has at most 60 lines': {
    texts: { 'packages/wire/src/sse.ts': `const read = () => {\n${'  next();\n'.repeat(59)}};` },
    complaint: 'packages/wire/src/sse.ts has read with 61',
  },
};

for (const rule of [...packageRules, ...folderRules, ...fileRules]) {
  test(`this rule can be broken: ${rule.claim}`, () => {
    const breach = breaches[rule.claim];
    expect(breach, 'no breach is written down for this rule').toBeDefined();
    expect(rule.violations(createWorkspace(breach?.packages ?? packages, breach?.texts ?? {}))).toContain(breach?.complaint);
  });
}

test('what is only said in a comment or a string is no import and no use', () => {
  const text = `// import 'node:fs'\nexport const example = "import x from 'node:fs'; Date.now()";`;
  // No package of the example imports what it names.
  const nothingNamed = packages.map(({ folder }) => packageIn(folder));
  const workspace = createWorkspace(nothingNamed, { 'packages/protocol/src/index.ts': text });
  expect([...packageRules, ...folderRules, ...fileRules].flatMap((rule) => rule.violations(workspace))).toEqual([]);
});

test('a command may load the relay when it is asked to, at that moment', () => {
  const workspace = createWorkspace(packages, {
    'packages/server/src/cli.ts': `const { startServer } = await import('./start-server.ts');`,
    'packages/server/src/start-server.ts': `import { engine } from './engine.ts';`,
    'packages/server/src/engine.ts': `export { open as engine } from './store/sqlite/open.ts';`,
    'packages/server/src/store/sqlite/open.ts': `import Database from 'better-sqlite3';`,
  });
  expect(folderRules.flatMap((rule) => rule.violations(workspace))).toEqual([]);
});

test('a parameter may offer the clock as its default, and a local name is no global', () => {
  const workspace = createWorkspace(packages, {
    'packages/wire/src/gate.ts': `export const open = ({ now = Date.now }, process: Child) => use(process, now());`,
  });
  expect(fileRules.flatMap((rule) => rule.violations(workspace))).toEqual([]);
});

test('a line of a function is one that says something', () => {
  const text = 'export class Reader {\n  #read() {\n\n    // why\n    /** what */\n    return 1;\n  }\n}';
  expect(parseSource('x.ts', text).functions).toEqual([{ name: '#read', lines: 3 }]);
});
