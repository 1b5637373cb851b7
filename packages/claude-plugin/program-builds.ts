import type { Options } from 'tsup';
import { programBuild } from '../../tsup.base.ts';

/** A plugin has no install step: its programs carry everything. Each hook, and each start of a session, loads one anew. */
const carrying = (entry: Record<string, string>) =>
  ({ ...programBuild(entry), noExternal: [/^(?!node:)/u], splitting: false }) satisfies Options;

const sidecar = carrying({ sidecar: 'src/sidecar.ts' });

/** The programs of the plugin, as they ship. */
export const programBuilds = [
  carrying({ cli: 'src/cli.ts' }),
  {
    ...sidecar,
    // What nobody waits for is loaded after the rest.
    splitting: true,
    minify: true,
    esbuildOptions: (options) => {
      sidecar.esbuildOptions(options);
      options.chunkNames = 'sidecar/[name]-[hash]';
    },
  },
  carrying({ hook: 'src/hook.ts' }),
] satisfies Options[];
