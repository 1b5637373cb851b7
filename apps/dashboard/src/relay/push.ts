import { listAll } from 'agent-relay-client';
import type { PushSubscription } from 'agent-relay-protocol';
import type { View } from '../live/view.ts';

/** The devices that are told while the page is closed, as the relay said when it was asked: the log does not tell of them. */
export const devicesView: View<readonly PushSubscription[]> = {
  name: 'system',
  id: 'devices',
  route: 'push/list',
  read: async (relay) => ({
    data: (await listAll(relay.push.list, {})).data.sort((one, other) => other.createdAt - one.createdAt),
    cursor: 0,
  }),
  apply: (devices) => devices,
};
