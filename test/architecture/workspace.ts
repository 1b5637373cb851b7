import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Import, parseSource, type SourceFacts } from './source-facts.ts';

export type { Import };

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export interface WorkspacePackage {
  /** From the root, as in `packages/wire`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

export interface SourceFile extends SourceFacts {
  /** From the root, with slashes. */
  readonly path: string;
  readonly package: WorkspacePackage;
  /** From the package, as in `src/index.ts`. */
  readonly pathInPackage: string;
  /** A test, or a file that only tests use. */
  readonly isTest: boolean;
  readonly lines: number;
}

export interface Workspace {
  readonly packages: readonly WorkspacePackage[];
  readonly files: readonly SourceFile[];
}

/** The rules' view of a workspace, from its texts: what is on disk, or what a test seeds. */
export function createWorkspace(packages: readonly WorkspacePackage[], texts: Readonly<Record<string, string>>): Workspace {
  const files = Object.entries(texts).flatMap(([path, text]): SourceFile[] => {
    const owner = packages.find(({ folder }) => path.startsWith(`${folder}/`));
    if (owner === undefined) return [];
    const pathInPackage = path.slice(owner.folder.length + 1);
    const isTest = /\.test\.tsx?$/.test(path) || contractSuites.test(path) || !pathInPackage.startsWith('src/');
    return [{ ...parseSource(path, text), path, package: owner, pathInPackage, isTest, lines: text.split('\n').length }];
  });
  return { packages, files };
}

/** Suites that stand beside the port they are about; only tests import them. */
const contractSuites = /^packages\/server\/src\/store\/(?:\w+-)*contract\.ts$/;

const skippedFolders = new Set(['node_modules', 'dist', 'fixtures', '.turbo', '.cache']);

function listSources(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : listSources(root, path);
    return /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

/** Reads the checkout. */
export function loadWorkspace(root: string): Workspace {
  const grouped = ['packages', 'apps'].flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`));
  const folders = [...grouped, 'e2e', 'bench', 'examples/provider'].filter((folder) => existsSync(join(root, folder, 'package.json')));
  const packages = folders.map((folder) => ({
    folder,
    // A package.json of this checkout; what the rules read of it has these shapes by npm's own definition.
    manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest,
  }));
  const paths = folders.flatMap((folder) => listSources(root, folder));
  return createWorkspace(packages, Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')])));
}
