import type { Stats } from 'agent-relay-client';
import type { RouteOutput } from 'agent-relay-protocol';
import type { View } from '../live/view.ts';

/** How the relay is, as it said when it was asked. */
export const healthView: View<RouteOutput<'system/health'>> = {
  name: 'system',
  id: 'health',
  route: 'system/health',
  read: async (relay) => ({ data: await relay.system.health(), cursor: 0 }),
  apply: (health) => health,
};

/** Version, place in the log and counts, as they were when it was asked. */
export const statsView: View<Stats> = {
  name: 'system',
  id: 'stats',
  route: 'system/stats',
  read: async (relay) => {
    const stats = await relay.system.stats();
    return { data: stats, cursor: stats.cursor };
  },
  apply: (stats) => stats,
};

/** What the relay was started with; it stays so until the next start. */
export const settingsView: View<RouteOutput<'system/settings'>> = {
  name: 'system',
  id: 'settings',
  route: 'system/settings',
  read: async (relay) => ({ data: await relay.system.settings(), cursor: 0 }),
  apply: (settings) => settings,
};
