import type { StartedRelay } from '../../src/relay/relay.ts';
import { tokenCreated } from '../../src/relay/tokens/describe-token.ts';

/** A token for a machine of this id, as pairing makes one for an id of its own. */
export async function nodeToken({ core: { tokens, store } }: Pick<StartedRelay, 'core'>, nodeId: string, name = nodeId): Promise<string> {
  const { token, record } = tokens.mint('node', { workspace: 'default', nodeId, name });
  await store.tokens.put(record, tokenCreated(record, 'owner'));
  return token;
}

let machines = 0;

/** A machine that asked and was accepted by the owner, and has used its token once. */
export async function pairedMachine(relay: StartedRelay, name: string): Promise<{ readonly nodeId: string; readonly token: string }> {
  machines += 1;
  const { code, secret } = relay.pairings.request({ name, version: '1' }, `192.0.2.${machines % 250}`);
  const context = { principal: { type: 'owner', workspace: 'default' }, signal: new AbortController().signal } as const;
  const { nodeId } = await relay.handlers['nodes/pair']({ code }, context);
  const outcome = relay.pairings.outcome(secret);
  if (outcome.status !== 'accepted') throw new Error(outcome.status);
  await relay.authenticate(outcome.token);
  return { nodeId, token: outcome.token };
}
