import { listAll } from 'agent-relay-client';
import type { NodePairing } from 'agent-relay-protocol';
import { type ListView, READ_AGAIN } from '../live/view.ts';

/** Machines that ask to be let in. The log does not tell of who only asks, so the page reads it again while somebody looks. */
export const pairingsView: ListView<NodePairing> = {
  name: 'pairings',
  route: 'nodes/pairings',
  read: (relay) => listAll(relay.nodes.pairings, {}),
  apply: (pairings, event) => (event.type === 'node.paired' ? READ_AGAIN : pairings),
};
