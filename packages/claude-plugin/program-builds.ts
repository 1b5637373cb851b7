import type { Options } from 'tsup';
import { computed, requireBanner } from '../../tsup.base.ts';

/** From the sources of our packages, so that a program has what it uses of them and not the whole: each hook, and each start of a session, loads it anew. */
const shared = {
  target: 'node20',
  format: ['esm'],
  noExternal: [/^(?!node:)/u],
  esbuildPlugins: [computed],
  sourcemap: false,
  clean: false,
  dts: false,
  tsconfig: 'tsconfig.json',
} satisfies Options;

const fromSource = (options: { conditions?: string[] }): void => {
  options.conditions = ['agent-relay-source'];
};

/** The programs of the plugin, as they ship. */
export const programBuilds = [
  { ...shared, entry: { cli: 'src/cli.ts' }, banner: requireBanner, splitting: false, esbuildOptions: fromSource },
  {
    ...shared,
    entry: { sidecar: 'src/sidecar.ts' },
    banner: requireBanner,
    // What nobody waits for is loaded after the rest.
    splitting: true,
    minify: true,
    esbuildOptions: (options) => {
      fromSource(options);
      options.chunkNames = 'sidecar/[name]-[hash]';
    },
  },
  { ...shared, entry: { hook: 'src/hook.ts' }, splitting: false, esbuildOptions: fromSource },
] satisfies Options[];
