import { listAll } from 'agent-relay-client';
import type { Share } from 'agent-relay-protocol';
import { type ListView, READ_AGAIN } from '../live/view.ts';

/** The links to an agent's logs that are good now, newest first. */
export const sharesView = (agentId: string): ListView<Share> => ({
  name: 'tokens',
  id: `shares of ${agentId}`,
  route: 'shares/list',
  read: async (relay) => {
    const { data, cursor } = await listAll(relay.shares.list, { agent: agentId });
    return { data: data.sort((one, other) => other.createdAt - one.createdAt), cursor };
  },
  apply: (shares, event) => ('token' in event && event.token.kind === 'share' && event.token.agentId === agentId ? READ_AGAIN : shares),
});
