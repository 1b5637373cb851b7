import { fileURLToPath } from 'node:url';

/** The plugin as a checkout has it, built. */
export const pluginFolder = fileURLToPath(new URL('../../packages/claude-plugin', import.meta.url));
