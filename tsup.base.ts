import type { Options } from 'tsup';

/** Dual ESM and CommonJS with types for each named entry of `src/`; a `cli` entry is ESM only and executable. */
export function packageBuild(entries: readonly string[]): Options[] {
  const libraries = entries.filter((entry) => entry !== 'cli');
  const shared: Options = { target: 'node20', splitting: true, sourcemap: false, clean: false, treeshake: true, tsconfig: 'tsconfig.json' };
  const builds: Options[] = [
    {
      ...shared,
      entry: Object.fromEntries(libraries.map((entry) => [entry, `src/${entry}.ts`])),
      format: ['esm', 'cjs'],
      dts: { compilerOptions: { customConditions: [] } },
    },
  ];
  if (entries.includes('cli')) builds.push({ ...shared, entry: { cli: 'src/cli.ts' }, format: ['esm'], dts: false });
  return builds;
}
