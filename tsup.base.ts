import { cpSync, readdirSync, rmSync } from 'node:fs';
import type { Options } from 'tsup';

interface PackageBuildOptions {
  /** Folders to copy into `dist/`, as name in `dist/` → path from the package. */
  readonly assets?: Readonly<Record<string, string>>;
}

/**
 * Dual ESM and CommonJS with types for each named entry of `src/`; a `cli` entry is ESM only and executable.
 * Reading the configuration empties `dist/`: the builds run side by side, and tsup's own `clean` in one of them
 * removes what another has just written. The `cli.js` stays until it is replaced, so that a bin never goes missing.
 */
export function packageBuild(entries: readonly string[], { assets = {} }: PackageBuildOptions = {}): Options[] {
  emptyDist();
  for (const [name, source] of Object.entries(assets)) cpSync(source, `dist/${name}`, { recursive: true });
  const libraries = entries.filter((entry) => entry !== 'cli');
  const shared: Options = { target: 'node20', splitting: true, sourcemap: false, clean: false, treeshake: true, tsconfig: 'tsconfig.json' };
  const builds: Options[] = [
    {
      ...shared,
      entry: Object.fromEntries(libraries.map((entry) => [entry, `src/${entry}.ts`])),
      format: ['esm', 'cjs'],
      // Gives the CommonJS build an `import.meta.url`, which it does not have.
      shims: true,
      dts: { compilerOptions: { customConditions: [] } },
    },
  ];
  if (entries.includes('cli')) builds.push({ ...shared, entry: { cli: 'src/cli.ts' }, format: ['esm'], dts: false });
  return builds;
}

function emptyDist(): void {
  let names: string[];
  try {
    names = readdirSync('dist');
  } catch {
    return;
  }
  for (const name of names) if (name !== 'cli.js') rmSync(`dist/${name}`, { recursive: true, force: true });
}
