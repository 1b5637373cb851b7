import { listAll } from 'agent-relay-client';
import type { Token } from 'agent-relay-protocol';
import { type ListView, READ_AGAIN } from '../live/view.ts';

/** The tokens that are good now, newest first. The log says that one was made, not what it may. */
export const tokensView: ListView<Token> = {
  name: 'tokens',
  route: 'tokens/list',
  read: async (relay) => {
    const { data, cursor } = await listAll(relay.tokens.list, {});
    return { data: data.sort((one, other) => other.createdAt - one.createdAt), cursor };
  },
  apply: () => READ_AGAIN,
};
