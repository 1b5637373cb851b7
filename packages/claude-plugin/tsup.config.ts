import { defineConfig } from 'tsup';
import { packageBuild, requireBanner, thirdPartyNoticesPlugin } from '../../tsup.base.ts';
import { programBuilds } from './program-builds.ts';

const notices = thirdPartyNoticesPlugin();

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
