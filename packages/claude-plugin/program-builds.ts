import type { Options } from 'tsup';
import { programBuild } from '../../tsup.base.ts';

/** A plugin has no install step: its programs carry everything. Each hook, and each start of a session, loads one anew. */
const carrying = (entry: Record<string, string>) =>
  ({ ...programBuild(entry), noExternal: [/^(?!node:)/u], splitting: false }) satisfies Options;

/** What nobody waits for is loaded after the rest. */
function loadingLater(name: 'hook' | 'sidecar') {
  const program = carrying({ [name]: `src/${name}.ts` });
  return {
    ...program,
    splitting: true,
    esbuildOptions: (options) => {
      program.esbuildOptions(options);
      options.chunkNames = `${name}/[name]-[hash]`;
    },
  } satisfies Options;
}

/** The programs of the plugin, as they ship. */
export const programBuilds = [
  carrying({ cli: 'src/cli.ts' }),
  { ...loadingLater('sidecar'), minify: true },
  loadingLater('hook'),
] satisfies Options[];
