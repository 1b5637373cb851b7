import { builtinModules } from 'node:module';
import { importCycles, importsReachedFrom, packageNameOf } from './module-graph.ts';
import { packageTable, reachableInnerFiles, testPackages, wholeSystemFolders } from './package-table.ts';
import { fileRule, isIn, type Rule } from './rule.ts';
import type { SourceFile, Workspace } from './workspace.ts';

const isOurs = (name: string | undefined): name is string => name?.startsWith('agent-relay-') === true;
const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier);

function namesFrom(file: SourceFile): string[] {
  return file.imports.flatMap(({ specifier }) => packageNameOf(specifier) ?? []).filter((name) => !isBuiltin(name));
}

function mayImport(file: SourceFile, name: string): boolean {
  if (name === file.package.manifest.name || wholeSystemFolders.includes(file.package.folder)) return true;
  const row = packageTable[file.package.folder];
  if (row === undefined) return true;
  if (row.mayImport.includes(name) || (file.isTest && testPackages.includes(name))) return true;
  const folders = Object.entries(row.folders ?? {}).filter(([folder]) => file.isTest || isIn(file.pathInPackage, [folder]));
  return folders.some(([, names]) => names.includes(name));
}

/** What a file's package says it needs; tests may use what is there for development, here or at the root. */
function isDeclared({ package: { folder, manifest }, isTest }: SourceFile, name: string): boolean {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest;
  const declared = {
    ...dependencies,
    ...peerDependencies,
    ...optionalDependencies,
    ...(isTest || packageTable[folder]?.bundles ? devDependencies : {}),
  };
  return name in declared || name === manifest.name || (isTest && ['vitest', 'tsup', 'vite', 'zod', 'playwright-core'].includes(name));
}

function exportsOf(workspace: Workspace, name: string): readonly string[] {
  return Object.keys(workspace.packages.find(({ manifest }) => manifest.name === name)?.manifest.exports ?? {});
}

// Written in the root of the checkout for these folders to use.
const rootModules = ['computed-data.base.ts', 'third-party.base.ts', 'tsup.base.ts', 'scripts/agent-clis.mjs', 'scripts/chromium.mjs'];

function leavesItsPackage(file: SourceFile, specifier: string): boolean {
  if (!specifier.startsWith('.')) return false;
  const target = new URL(specifier, `file:///${file.path}`).pathname.slice(1);
  const reachable = Object.entries(reachableInnerFiles).filter(([folder]) => isIn(file.path, [folder]));
  return !isIn(target, [file.package.folder, ...rootModules, ...reachable.flatMap(([, places]) => places)]);
}

/** Types of what is imported, what is run as a program, what a style sheet asks for, and what the build imports that is kept as a fixture. */
const usedWithoutImport = (folder: string): readonly RegExp[] => [
  /^@types\//,
  ...(packageTable[folder]?.runs ?? []).map((name) => new RegExp(`^${name}$`)),
  ...(folder === 'apps/dashboard' ? [/^tailwindcss$/] : []),
  ...(folder === 'e2e' ? [/^eventsource-parser$/, /^unhomoglyph$/] : []),
];

/** The roots that run in browsers as well. */
const browserEntries = ['packages/protocol/src/index.ts', 'packages/wire/src/index.ts', 'packages/client/src/index.ts'];
const nodeOnlyPackages = ['ws', 'better-sqlite3', 'pino', 'commander'];

export const packageRules: readonly Rule[] = [
  {
    claim: 'every package has a row in the table of who may import whom',
    violations: ({ packages }) =>
      packages.flatMap(({ folder }) =>
        packageTable[folder] === undefined && !wholeSystemFolders.includes(folder) ? [`${folder} has none`] : [],
      ),
  },
  {
    claim: 'a package depends only on those of our packages that its row names',
    violations: ({ packages }) =>
      packages.flatMap(({ folder, manifest }) => {
        const row = packageTable[folder];
        if (row === undefined) return [];
        const allowed = [...row.mayImport, ...(row.runs ?? []), ...Object.values(row.folders ?? {}).flat()];
        const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies });
        return declared.filter((name) => isOurs(name) && !allowed.includes(name)).map((name) => `${folder} depends on ${name}`);
      }),
  },
  fileRule('a file imports only those of our packages that its package may', (file) =>
    namesFrom(file)
      .filter((name) => isOurs(name) && !mayImport(file, name))
      .map((name) => `imports ${name}`),
  ),
  fileRule('the relay never imports the package that runs agents', (file) =>
    file.package.folder === 'packages/server' && !file.isTest && namesFrom(file).includes('agent-relay-connect')
      ? ['imports agent-relay-connect']
      : [],
  ),
  fileRule('protocol stands on zod and nothing else', (file) =>
    file.package.folder === 'packages/protocol' && !file.isTest
      ? file.imports.flatMap(({ specifier }) => (specifier.startsWith('.') || specifier === 'zod' ? [] : [`imports ${specifier}`]))
      : [],
  ),
  fileRule('every imported package is declared in the package.json beside it', (file) =>
    namesFrom(file)
      .filter((name) => !isDeclared(file, name))
      .map((name) => `imports ${name}, which its package.json does not name`),
  ),
  {
    claim: 'every package that a package.json names is imported by a file beside it',
    violations: (workspace) =>
      workspace.packages.flatMap(({ folder, manifest }) => {
        const imported = new Set(workspace.files.filter((file) => file.package.folder === folder).flatMap(namesFrom));
        const { dependencies, peerDependencies, optionalDependencies, devDependencies } = manifest;
        const declared = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies, ...devDependencies });
        const isUsed = (name: string) => imported.has(name) || usedWithoutImport(folder).some((each) => each.test(name));
        return declared.filter((name) => !isUsed(name)).map((name) => `${folder} names ${name}, which none of its files imports`);
      }),
  },
  fileRule("no file reaches into another package's inner files", (file, workspace) =>
    file.imports.flatMap(({ specifier }) => {
      if (leavesItsPackage(file, specifier)) return [`imports ${specifier}`];
      const name = packageNameOf(specifier);
      if (!isOurs(name)) return [];
      const isPublic = exportsOf(workspace, name).includes(`.${specifier.slice(name.length)}`);
      return isPublic ? [] : [`imports ${specifier}, which ${name} does not export`];
    }),
  ),
  {
    claim: 'the roots of protocol, wire and client run in a browser: nothing they reach is made for Node alone',
    violations: (workspace) =>
      workspace.files
        .filter(({ path }) => browserEntries.includes(path))
        .flatMap((entry) => importsReachedFrom(workspace, entry, ['static', 'dynamic', 'type']))
        .filter(
          (arrival) => isBuiltin(arrival.import.specifier) || nodeOnlyPackages.includes(packageNameOf(arrival.import.specifier) ?? ''),
        )
        .map((arrival) => `${arrival.trail.join(' → ')} imports ${arrival.import.specifier}`),
  },
  fileRule('the dashboard uses no module of Node', (file) =>
    file.package.folder === 'apps/dashboard' && !file.isTest
      ? file.imports.flatMap(({ specifier }) => (isBuiltin(specifier) ? [`imports ${specifier}`] : []))
      : [],
  ),
  {
    claim: 'no files import each other in a circle, types included',
    violations: (workspace) =>
      importCycles(workspace).map((circle) => `${circle}: move what they share into a file of its own, which imports none of them`),
  },
];
