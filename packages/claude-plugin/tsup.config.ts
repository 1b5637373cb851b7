import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Options } from 'tsup';
import { thirdPartyNotices } from '../../third-party.base.ts';
import { packageBuild } from '../../tsup.base.ts';
import { programBuilds, requireBanner } from './program-builds.ts';

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
export default defineConfig([
  ...packageBuild(['index']).map((build) => ({
    ...build,
    noExternal: [/^(?!node:)/u],
    esbuildPlugins: [notices],
    banner: ({ format }: { readonly format: string }) => (format === 'esm' ? requireBanner : {}),
  })),
  ...programBuilds.map((build) => ({ ...build, esbuildPlugins: [...build.esbuildPlugins, notices] })),
]);
