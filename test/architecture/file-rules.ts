import { posix } from 'node:path';
import { fileRule, isIn, type Rule } from './rule.ts';
import type { SourceFile } from './workspace.ts';

/**
 * Places that may use the clock, the environment and the console themselves: the composition roots, where a program
 * begins, and the few modules whose whole job is to wrap one of these. Everything else is given what it needs.
 */
const ambientPlaces: Readonly<Record<string, string>> = {
  'packages/server/src/cli.ts': 'where the relay and its commands begin',
  'packages/server/src/cli': 'commands: they read the environment and print',
  'packages/server/src/start-server.ts': "the relay's composition root",
  'packages/server/src/clock.ts': 'the clock itself',
  'packages/server/src/testing.ts': 'a composition root for tests',
  'packages/connect/src/cli.ts': 'where relay-connect begins',
  'packages/connect/src/run-cli.ts': "relay-connect's composition root",
  'packages/codex-plugin/src/cli.ts': 'where agent-relay-codex begins',
  'packages/codex-plugin/src/codex-relay.ts': 'where codex-relay begins',
  'packages/codex-plugin/src/run-cli.ts': 'its composition root',
  'packages/codex-plugin/src/run-codex-relay.ts': 'its composition root',
  'packages/codex-plugin/src/hook/hook-program.ts': 'what Codex runs as a hook begins here',
  'packages/claude/src/cli.ts': 'where agent-relay-claude begins',
  'packages/claude/src/provider/run-cli.ts': 'its composition root',
  'packages/channel-webhook/src/cli.ts': 'where agent-relay-channel-webhook begins',
  'packages/channel-webhook/src/run-cli.ts': 'its composition root',
  'packages/channel-telegram/src/cli.ts': 'where agent-relay-channel-telegram begins',
  'packages/channel-telegram/src/run-cli.ts': 'its composition root',
  'packages/claude-plugin/src/cli.ts': 'where agent-relay-plugin begins',
  'packages/claude-plugin/src/run-cli.ts': 'its composition root',
  'packages/claude-plugin/src/hook.ts': 'where a hook begins',
  'packages/claude-plugin/src/hook/run-hook.ts': "a hook's composition root, one small program",
  'packages/claude-plugin/src/sidecar.ts': 'where the sidecar begins',
  'packages/claude-plugin/src/sidecar/sidecar-session.ts': 'its composition root',
  'packages/bridge/src/cli.ts': 'where agent-bridge begins',
  'packages/bridge/src/run-cli.ts': 'its composition root',
  'packages/bridge/src/agent-bridge.ts': 'the composition root of programs that embed it',
  'packages/wire/src/node/find-executable.ts': 'looks a program up as a shell would, on PATH',
  'packages/wire/src/node/process-table.ts': "reads the machine's processes with the machine's own tools",
  'packages/wire/src/node/spawn-process.ts': "a child inherits this process's environment unless it is given one",
  'packages/wire/src/time.ts': 'jitter',
  'packages/client/src/node-fetch.ts': 'whether Node itself goes by the proxies of its environment',
  'packages/testing': 'fakes at true boundaries, used by tests alone',
  'apps/dashboard/src/main.tsx': 'where the dashboard begins',
  'examples/provider/src/cli.ts': 'where the example of a provider begins',
  e2e: 'tests',
  bench: 'measurements',
};

const ambient = /^(process|process\.(env|argv|exit|exitCode|stdout|stderr|stdin|cwd)|console\b|Date\.now|new Date|Date\(\)|Math\.random)$/;

const isShipped = (file: SourceFile): boolean => !file.isTest;
/** A suite that others run against what they made: a test, though it is published. */
const isContractSuite = (file: SourceFile): boolean => file.imports.some(({ specifier }) => specifier === 'vitest');
const maximumLines = 500;
const maximumLinesOfFunction = 60;

/** Exported in several packages for the same thing in each: what fills one role there, or the shape of one port. */
const sameEverywhere: ReadonlySet<string> = new Set([
  'Exchange', // one HTTP request with its answer
  'LogLevel',
  'OutgoingMail', // the client's, and what a channel's own tests put in its place
  'PromptLedger', // of each vendor
  'SettingName', // of each program
  'createLogger', // of each program
  'faultFrom', // of each vendor
  'isOwner',
  'relayTool', // of each vendor
  'runCli', // of each program
  'toolCompleted', // of each vendor
  'toolKind', // of each vendor
  'toolTitle', // of each vendor
  'toolUse', // of each vendor
]);

export const fileRules: readonly Rule[] = [
  {
    claim: 'an exported name means one thing',
    violations: ({ files }) => {
      const places = new Map<string, string[]>();
      for (const { path, exports } of files.filter((file) => isShipped(file) && isIn(file.path, ['packages', 'apps'])))
        for (const name of exports) places.set(name, [...(places.get(name) ?? []), path]);
      return [...places]
        .filter(([name, paths]) => paths.length > 1 && !sameEverywhere.has(name))
        .map(([name, paths]) => `${paths.join(' and ')} export ${name}`);
    },
  },
  fileRule('the clock, the environment and the console are used at the composition roots alone', (file) =>
    isShipped(file) && !isIn(file.path, Object.keys(ambientPlaces))
      ? [...new Set(file.globals.map((name) => name.replace(/^console\..*/, 'console')))]
          .filter((name) => ambient.test(name))
          .map((name) => `uses ${name}`)
      : [],
  ),
  fileRule('a file is imported by its own name, never through an index', (file) =>
    isShipped(file)
      ? file.imports.flatMap(({ specifier }) =>
          /^\.{1,2}(\/|$)(.*\/)?(index(\.[cm]?tsx?)?)?$/.test(specifier) ? [`imports ${specifier}`] : [],
        )
      : [],
  ),
  fileRule('public names are listed one by one', (file) => (file.hasStarExport ? ['says export * from'] : [])),
  fileRule('a relative import carries its ending', (file) =>
    file.imports.flatMap(({ specifier }) => {
      const isAsset = specifier.includes('?');
      return specifier.startsWith('.') && !isAsset && posix.extname(specifier) === '' ? [`imports ${specifier}`] : [];
    }),
  ),
  fileRule(`a source file has at most ${maximumLines} lines`, (file) =>
    isShipped(file) && file.lines > maximumLines ? [`has ${file.lines}: is it still one reason to change?`] : [],
  ),
  fileRule(`a function has at most ${maximumLinesOfFunction} lines`, (file) =>
    isShipped(file) && isIn(file.path, ['packages', 'apps']) && !isContractSuite(file)
      ? file.functions.filter(({ lines }) => lines > maximumLinesOfFunction).map(({ name, lines }) => `has ${name} with ${lines}`)
      : [],
  ),
];
