import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Options } from 'tsup';
import { computedData, dataModules } from './computed-data.base.ts';
import { directImports, packageSources } from './direct-imports.base.ts';
import { thirdPartyNotices } from './third-party.base.ts';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

interface PackageBuildOptions {
  /** Folders to copy into `dist/`, as name in `dist/` → path from the package. */
  readonly assets?: Readonly<Record<string, string>>;
  /** The entries that are programs. */
  readonly bins?: readonly string[];
}

/** What is bundled of CommonJS asks for modules of Node. */
export const requireBanner = {
  js: "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);",
};

export const computed: Plugin = {
  name: 'computed-data',
  setup: ({ onLoad }) => onLoad({ filter: dataModules }, async ({ path }) => ({ contents: await computedData(path), loader: 'js' })),
};

/** Writes what the licences of bundled libraries ask for; of all builds that have the same plugin together. */
export function thirdPartyNoticesPlugin(): Plugin {
  const bundledFiles = new Set<string>();
  return {
    name: 'third-party-notices',
    setup: ({ initialOptions, onEnd }) => {
      initialOptions.metafile = true;
      onEnd(({ metafile }) => {
        for (const file of Object.keys(metafile?.inputs ?? {})) bundledFiles.add(resolve(file));
        // It may be the first to write there.
        mkdirSync('dist', { recursive: true });
        writeFileSync('dist/third-party-notices.txt', thirdPartyNotices(bundledFiles));
      });
    },
  };
}

/** A program is loaded anew at each start, and finding and reading 150 files was half of it: it carries what it uses of our packages and of these. */
const carried = [/^agent-relay-/u, /^(?:zod|commander|ws)(?:\/|$)/u];

/** Of the languages of zod's messages only its own: the rest is half of it. */
const oneLanguage: Plugin = {
  name: 'one-language',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    })),
};

/** What it makes of its table when it is loaded takes 10 ms, and many a program never asks for it. */
const onFirstCall: Plugin = {
  name: 'on-first-call',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]unhomoglyph[\\/]index\.js$/ }, async ({ path }) => ({
      contents: `let made;
        const make = (module) => { ${await readFile(path, 'utf8')}; return module.exports; };
        module.exports = (text) => (made ??= make({}))(text);`,
      loader: 'js',
    })),
};

const direct: Plugin = {
  name: 'direct-imports',
  setup: ({ onLoad }) => onLoad({ filter: packageSources }, ({ path }) => ({ contents: directImports(path), loader: 'ts' })),
};

/**
 * Modules of Node, asked for as CommonJS does. An `import` of one reads everything that it exports, and `node:http` loads a whole client for that: most of what
 * a small program takes to start.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup: ({ onResolve, onLoad }) => {
    const namespace = 'builtin';
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace }));
    onLoad({ filter: /^/, namespace }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule('${path}');`, loader: 'js' }));
  },
};

/** A program of a package as it ships, from the sources of our packages: it has what it uses of them and not the whole. */
export const programBuild = (entry: Record<string, string>) =>
  ({
    ...{ entry, target: 'node20', format: ['esm'], splitting: true, tsconfig: '../../tsconfig.base.json' },
    ...{ dts: false, sourcemap: false, clean: false },
    noExternal: carried,
    removeNodeProtocol: false,
    banner: requireBanner,
    // One that imports nothing would be taken for CommonJS by those who read it.
    footer: { js: 'export {};' },
    esbuildPlugins: [builtins, computed, direct, oneLanguage, onFirstCall],
    esbuildOptions: (options) => {
      options.conditions = ['agent-relay-source'];
    },
  }) satisfies Options;

/**
 * Dual ESM and CommonJS for each named entry of `src/`; a program (`cli`) is ESM only and executable. Types: `scripts/build-types.mjs`.
 * Reading the configuration empties `dist/`: the builds run side by side, and tsup's own `clean` in one of them
 * removes what another has just written. A program stays until it is replaced, so that a bin never goes missing.
 */
export function packageBuild(entries: readonly string[], { assets = {}, bins = ['cli'] }: PackageBuildOptions = {}): Options[] {
  emptyDist(bins);
  for (const [name, source] of Object.entries(assets)) cpSync(source, `dist/${name}`, { recursive: true });
  const libraries = entries.filter((entry) => !bins.includes(entry));
  const programs = entries.filter((entry) => bins.includes(entry));
  const sources = (names: readonly string[]) => Object.fromEntries(names.map((entry) => [entry, `src/${entry}.ts`]));
  const shared: Options = { target: 'node20', splitting: true, sourcemap: false, clean: false, tsconfig: '../../tsconfig.base.json' };
  const builds: Options[] = [
    {
      ...shared,
      entry: sources(libraries),
      format: ['esm', 'cjs'],
      // Gives the CommonJS build an `import.meta.url`, which it does not have.
      shims: true,
    },
  ];
  if (programs.length > 0) {
    const { esbuildPlugins, ...build } = programBuild(sources(programs));
    builds.push({ ...build, esbuildPlugins: [...esbuildPlugins, thirdPartyNoticesPlugin()] });
  }
  return builds;
}

function emptyDist(bins: readonly string[]): void {
  let names: string[];
  try {
    names = readdirSync('dist');
  } catch {
    return;
  }
  // Declarations are of the builds of types, which may be beside this one.
  const isKept = (name: string) => bins.some((bin) => name === `${bin}.js`) || /\.d\.c?ts$/u.test(name);
  for (const name of names) if (!isKept(name)) rmSync(`dist/${name}`, { recursive: true, force: true });
}
