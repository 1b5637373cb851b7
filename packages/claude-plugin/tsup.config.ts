import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Options } from 'tsup';
import { thirdPartyNotices } from '../../third-party.base.ts';
import { packageBuild } from '../../tsup.base.ts';

const bundledFiles = new Set<string>();
const notices: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'third-party-notices',
  setup: ({ initialOptions, onEnd }) => {
    initialOptions.metafile = true;
    onEnd(({ metafile }) => {
      for (const file of Object.keys(metafile?.inputs ?? {})) bundledFiles.add(resolve(file));
      writeFileSync('dist/third-party-notices.txt', thirdPartyNotices(bundledFiles));
    });
  },
};

// A plugin has no install step: what it imports ships inside its own files, for the programs and for the library alike.
const bundled = { noExternal: [/^(?!node:)/u], esbuildPlugins: [notices] };
// What is bundled of CommonJS asks for modules of Node.
const withRequire = { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" };
const program = {
  ...bundled,
  target: 'node20',
  format: ['esm' as const],
  banner: withRequire,
  splitting: false,
  sourcemap: false,
  clean: false,
  treeshake: true,
  dts: false,
  tsconfig: 'tsconfig.json',
};

export default defineConfig([
  ...packageBuild(['index']).map((build) => ({
    ...build,
    ...bundled,
    banner: ({ format }: { readonly format: string }) => (format === 'esm' ? withRequire : {}),
  })),
  { ...program, entry: { cli: 'src/cli.ts', sidecar: 'src/sidecar.ts' } },
  // Started for every hook: it loads nothing but Node.
  { ...program, banner: {}, entry: { hook: 'src/hook.ts' } },
]);
