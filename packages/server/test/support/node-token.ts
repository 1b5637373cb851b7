import { beginToken } from '../../src/domain/token-changes.ts';
import type { StartedRelay } from '../../src/relay/relay.ts';

/** A token for a machine of this id, as pairing makes one for an id of its own. */
export async function nodeToken({ core: { tokens, store } }: Pick<StartedRelay, 'core'>, nodeId: string, name = nodeId): Promise<string> {
  const { token, record } = tokens.mint('node', { workspace: 'default', nodeId, name });
  await store.tokens.begin('default', () => ({ answer: null, change: beginToken(record, 'owner') }));
  return token;
}
