import { RELAY_VERSION } from 'agent-relay-protocol';

/** As Claude Code calls them: `agent-relay@agent-relay`. */
export const pluginName = 'agent-relay';
export const marketplaceName = 'agent-relay';
export const pluginId = `${pluginName}@${marketplaceName}`;

const description =
  'Messages between coding agents, in the session you work in: an address for it, the tools of the relay, approvals from anywhere.';

const marketplaceOf = (source: unknown) => ({
  name: marketplaceName,
  owner: { name: 'Agent Relay' },
  description: 'The plugin that makes Claude Code sessions agents of an Agent Relay.',
  plugins: [{ name: pluginName, source, description }],
});

/** One that lies beside its plugin. */
export const directoryMarketplace = marketplaceOf(`./${pluginName}`);

/** What a project's settings say, so that whoever trusts its folder can install the plugin for it: this version, and none that is published later. */
export const projectSettings = {
  extraKnownMarketplaces: {
    [marketplaceName]: {
      source: {
        source: 'settings',
        name: marketplaceName,
        plugins: [{ name: pluginName, source: { source: 'npm', package: 'agent-relay-plugin', version: RELAY_VERSION }, description }],
      },
    },
  },
  enabledPlugins: { [pluginId]: true },
} as const;
