import { defineConfig } from 'tsup';
import { packageBuild } from '../../tsup.base.ts';

// A plugin has no install step: what it imports ships inside its own files, for the programs and for the library alike.
const bundled = { noExternal: [/^(?!node:)/u] };
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
