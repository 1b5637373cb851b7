import { cpSync, readdirSync, rmSync } from 'node:fs';
import type { Options } from 'tsup';

interface PackageBuildOptions {
  /** Folders to copy into `dist/`, as name in `dist/` → path from the package. */
  readonly assets?: Readonly<Record<string, string>>;
  /** The entries that are programs. */
  readonly bins?: readonly string[];
}

/**
 * Dual ESM and CommonJS with types for each named entry of `src/`; a program (`cli`) is ESM only and executable.
 * Reading the configuration empties `dist/`: the builds run side by side, and tsup's own `clean` in one of them
 * removes what another has just written. A program stays until it is replaced, so that a bin never goes missing.
 */
export function packageBuild(entries: readonly string[], { assets = {}, bins = ['cli'] }: PackageBuildOptions = {}): Options[] {
  emptyDist(bins);
  for (const [name, source] of Object.entries(assets)) cpSync(source, `dist/${name}`, { recursive: true });
  const libraries = entries.filter((entry) => !bins.includes(entry));
  const programs = entries.filter((entry) => bins.includes(entry));
  const sources = (names: readonly string[]) => Object.fromEntries(names.map((entry) => [entry, `src/${entry}.ts`]));
  const shared: Options = { target: 'node20', splitting: true, sourcemap: false, clean: false, treeshake: true, tsconfig: 'tsconfig.json' };
  const builds: Options[] = [
    {
      ...shared,
      entry: sources(libraries),
      format: ['esm', 'cjs'],
      // Gives the CommonJS build an `import.meta.url`, which it does not have.
      shims: true,
      dts: { compilerOptions: { customConditions: [] } },
    },
  ];
  if (programs.length > 0) builds.push({ ...shared, entry: sources(programs), format: ['esm'], dts: false });
  return builds;
}

function emptyDist(bins: readonly string[]): void {
  let names: string[];
  try {
    names = readdirSync('dist');
  } catch {
    return;
  }
  for (const name of names) if (!bins.some((bin) => name === `${bin}.js`)) rmSync(`dist/${name}`, { recursive: true, force: true });
}
