import { importsReachedFrom, packageNameOf, resolveImport, roomCycles } from './module-graph.ts';
import { fileRule, isIn, type Rule } from './rule.ts';
import type { SourceFile, Workspace } from './workspace.ts';

const server = 'packages/server/src';

/** Paths inside `packages/server/src` that a server file imports, `''` for everything that is not there. */
function serverImports(workspace: Workspace, file: SourceFile): string[] {
  return file.imports.flatMap((each) => {
    const target = resolveImport(workspace, file, each);
    return target?.path.startsWith(`${server}/`) === true ? [target.path.slice(server.length + 1)] : [];
  });
}

/** A rule about the shipped files of some places in the server. */
function serverRule(
  claim: string,
  places: readonly string[],
  complaintsOf: (file: SourceFile, workspace: Workspace) => readonly string[],
): Rule {
  const paths = places.map((place) => `${server}/${place}`);
  return fileRule(claim, (file, workspace) => (isIn(file.path, paths) && !file.isTest ? complaintsOf(file, workspace) : []));
}

function importsFrom(places: readonly string[]): (file: SourceFile, workspace: Workspace) => string[] {
  return (file, workspace) =>
    serverImports(workspace, file)
      .filter((path) => isIn(path, places))
      .map((path) => `imports ${path}`);
}

/** Who may name the store, and why. */
const storeCallers = [
  'store', // it is the store
  'relay', // the use cases: the only callers of its operations
  'events', // the shared tail over the log is a reader of it
  'start-server.ts', // the composition root that opens it
  'engine.ts', // names the engine
  'operations', // backup and restore handle whole database files, without a relay
];

/** Clocks, randomness, timers and the outside world: what a pure function has none of. */
const impure =
  /^(Date\.now|new Date|Date\(\)|Math\.random|crypto\b|performance\b|process\b|console\b|fetch\b|globalThis\b|set(Timeout|Interval|Immediate)\b|queueMicrotask\b)/;

const vendorPackages = ['packages/claude', 'packages/codex-app-server', 'packages/acp', 'packages/lines', 'examples/provider'];
const vendorWords = ['claude', 'codex', 'gemini', 'Claude', 'Codex', 'Gemini', 'claude-code'];

/** What rules are written in: words and shapes, and the one way of putting somebody's text. Neither reaches Node. */
const pureWords = ['agent-relay-protocol', 'agent-relay-wire'];

export const folderRules: readonly Rule[] = [
  serverRule(
    'rules are pure: the domain imports only itself, the words of the protocol and how texts are put',
    ['domain'],
    (file, workspace) =>
      file.imports.flatMap((each) => {
        const isOwn = resolveImport(workspace, file, each)?.path.startsWith(`${server}/domain/`) === true;
        return isOwn || pureWords.includes(each.specifier) ? [] : [`imports ${each.specifier}`];
      }),
  ),
  serverRule('rules are pure: the domain has no clock, no randomness and no world', ['domain'], (file) =>
    file.globals.filter((name) => impure.test(name)).map((name) => `uses ${name}`),
  ),
  fileRule('only use cases call the store', (file, workspace) => {
    if (!file.path.startsWith(`${server}/`) || file.isTest || isIn(file.path.slice(server.length + 1), storeCallers)) return [];
    return importsFrom(['store'])(file, workspace);
  }),
  serverRule(
    'use cases know no transport and no command',
    ['relay', 'events', 'store', 'domain'],
    importsFrom(['transports', 'cli', 'operations', 'start-server.ts']),
  ),
  // What a decision calls is held to it where it runs: the tests' store answers nothing meanwhile (`test/support/asking-store.ts`).
  serverRule('a decision looks at what it is shown: at no store, no index and no readers of its own', ['relay'], (file) =>
    file.decisions.flatMap(({ names }) =>
      ['store', 'index', 'readers'].filter((name) => names.has(name)).map((name) => `decides by ${name}`),
    ),
  ),
  serverRule(
    'a decision answers what it came to: it may run twice, and what it wrote elsewhere the first time would stay',
    ['relay'],
    (file) => file.decisions.flatMap(({ assignsOutside }) => assignsOutside.map((name) => `decides and assigns to ${name}`)),
  ),
  {
    claim: 'the rooms of the relay stand one above the other',
    violations: (workspace) =>
      roomCycles(workspace, `${server}/relay`).map(
        (circle) => `relay/ goes round: ${circle}: what follows for another room is decided in domain/`,
      ),
  },
  serverRule(
    'a workspace comes from who asks, or from what the store has: only the composition root names one',
    ['relay', 'domain', 'store', 'events', 'transports'],
    (file) => (file.words.has('DEFAULT_WORKSPACE') ? ['names DEFAULT_WORKSPACE'] : []),
  ),
  serverRule('the store knows neither use cases nor readers', ['store'], importsFrom(['relay', 'events'])),
  serverRule(
    'what commands do to a machine needs no relay',
    ['operations'],
    importsFrom(['relay', 'events', 'transports', 'cli', 'start-server.ts']),
  ),
  serverRule('a transport leaves decisions to the use cases', ['transports'], importsFrom(['domain', 'store'])),
  fileRule('which engine keeps the databases is said in one place', (file) => {
    const isAllowed = file.path === `${server}/engine.ts` || isIn(file.path, [`${server}/store/sqlite`, 'bench']) || file.isTest;
    return isAllowed ? [] : file.imports.flatMap(({ specifier }) => (/\/sqlite\//u.test(specifier) ? [`imports ${specifier}`] : []));
  }),
  fileRule('better-sqlite3 is imported in the SQLite store and nowhere else', (file) => {
    const isAllowed = isIn(file.path, [`${server}/store/sqlite`, 'bench']) || file.isTest;
    return isAllowed ? [] : file.imports.flatMap(({ specifier }) => (specifier === 'better-sqlite3' ? ['imports better-sqlite3'] : []));
  }),
  {
    // Its binary ends a Node.js with a Node-API below 10 by a segmentation fault: no guard inside helps once it is loaded.
    claim: 'a client command of the CLI never loads SQLite',
    violations: (workspace) =>
      workspace.files
        .filter(({ path }) => path === `${server}/cli.ts`)
        .flatMap((entry) => importsReachedFrom(workspace, entry, ['static']))
        .filter((arrival) => arrival.import.specifier === 'better-sqlite3')
        .map((arrival) => `${arrival.trail.join(' → ')} imports better-sqlite3`),
  },
  fileRule('the relay names no vendor outside its commands', (file) => {
    if (!file.path.startsWith(`${server}/`) || file.isTest || isIn(file.pathInPackage, ['src/cli', 'src/cli.ts'])) return [];
    return vendorWords.filter((word) => file.words.has(word)).map((word) => `says ${word}`);
  }),
  fileRule('what a tool may do is judged by the one rule of the kit: no vendor looks at guarded paths itself', (file) => {
    if (!isIn(file.path, vendorPackages) || file.isTest) return [];
    return ['editRefusal', 'guardedPart'].filter((word) => file.words.has(word)).map((word) => `says ${word}: ask judgeTool`);
  }),
  fileRule("a vendor's wire knows nothing of the relay: only its provider half knows the provider contract", (file, workspace) => {
    const isWire =
      vendorPackages.includes(file.package.folder) &&
      !file.isTest &&
      !isIn(file.pathInPackage, ['src/provider', 'src/index.ts', 'src/cli.ts']);
    if (!isWire) return [];
    return file.imports.flatMap((each) => {
      const isOfProvider = resolveImport(workspace, file, each)?.pathInPackage.startsWith('src/provider/') === true;
      return isOfProvider || packageNameOf(each.specifier) === 'agent-relay-provider' ? [`imports ${each.specifier}`] : [];
    });
  }),
];
