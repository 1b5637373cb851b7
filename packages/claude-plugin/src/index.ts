export type { ClaudePluginsOptions } from './install/claude-plugins.ts';
export { type Installed, installInProject, installPlugin, type Uninstalled, uninstallPlugin } from './install/install.ts';
