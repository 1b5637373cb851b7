import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { TestRelay } from '../../src/testing.ts';
import { poll } from './poll.ts';

/** Settings under which what a run does at once is held by nobody. */
export const quiet = { AGENT_RELAY_PAIR_RATE_PER_MINUTE: '0', AGENT_RELAY_REPEAT_LIMIT: '0' };
export const clientOf = (relay: TestRelay): RelayClient => createNodeRelayClient({ url: relay.url, token: relay.ownerToken });

/** A record tells what came first by its time. */
export async function later(): Promise<void> {
  const before = Date.now();
  await poll('the next millisecond', () => Date.now() > before);
}
