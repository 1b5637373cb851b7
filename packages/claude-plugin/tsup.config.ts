import { defineConfig } from 'tsup';
import { packageBuild } from '../../tsup.base.ts';

// A plugin has no install step: what it imports ships inside its own files, for the programs and for the library alike.
const bundled = { noExternal: [/^(?!node:)/u] };
const program = {
  ...bundled,
  target: 'node20',
  format: ['esm' as const],
  // What is bundled of CommonJS asks for modules of Node.
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  splitting: false,
  sourcemap: false,
  clean: false,
  treeshake: true,
  dts: false,
  tsconfig: 'tsconfig.json',
};

export default defineConfig([
  ...packageBuild(['index']).map((build) => ({ ...build, ...bundled })),
  { ...program, entry: { cli: 'src/cli.ts', sidecar: 'src/sidecar.ts' } },
  // Started for every hook: it loads nothing but Node.
  { ...program, banner: {}, entry: { hook: 'src/hook.ts' } },
]);
