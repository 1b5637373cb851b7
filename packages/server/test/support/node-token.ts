import { tokenCreated } from '../../src/domain/describe-token.ts';
import type { StartedRelay } from '../../src/relay/relay.ts';

/** A token for a machine of this id, as pairing makes one for an id of its own. */
export async function nodeToken({ core: { tokens, store } }: Pick<StartedRelay, 'core'>, nodeId: string, name = nodeId): Promise<string> {
  const { token, record } = tokens.mint('node', { workspace: 'default', nodeId, name });
  await store.tokens.put(record, tokenCreated(record, 'owner'));
  return token;
}
