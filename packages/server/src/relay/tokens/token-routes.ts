import { principalName, RelayError } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { describeToken, isCode } from '../../domain/describe-token.ts';
import { beginToken } from '../../domain/token-changes.ts';
import { grantFor } from '../../domain/token-grant.ts';
import type { Logger } from '../../logger.ts';
import type { Store } from '../../store/store.ts';
import { listedById } from '../contract/listed.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import type { Tokens } from './tokens.ts';

export interface TokenRoutesDeps {
  readonly store: Pick<Store, 'tokens' | 'log'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly tokens: Tokens;
  readonly inboxes: Pick<Inboxes, 'recheck'>;
}

/** Making, listing and revoking tokens. Who may is the scope `*`, which only the owner and tokens that stand for the owner have. */
export function tokenHandlers({ store, clock, log, tokens, inboxes }: TokenRoutesDeps): HandlersOf<'tokens'> {
  return {
    'tokens/create': async (input, { principal }) => {
      const { agentId, ...grant } = grantFor(input);
      const { token, record } = tokens.mint('scoped', {
        workspace: principal.workspace,
        name: input.name,
        agentId,
        expiresAt: input.expiresInMs === undefined ? null : clock.now() + input.expiresInMs,
        grants: { ...grant, createdBy: principalName(principal) },
      });
      const described = describeToken(record);
      const by = principalName(principal);
      await store.tokens.begin(principal.workspace, () => ({ answer: null, change: beginToken(record, by) }));
      if (agentId !== null) inboxes.recheck(principal.workspace, agentId);
      log.info('token created', { tokenId: record.tokenId, kind: grant.kind, by });
      return { ...described, token };
    },
    'tokens/list': async (page, { principal }) => {
      const cursor = store.log.head;
      const now = clock.now();
      const records = await store.tokens.list(principal.workspace);
      const good = records.filter((record) => !isCode(record) && (record.expiresAt === null || record.expiresAt > now));
      return { ...listedById(good.map(describeToken), ({ tokenId }) => tokenId, page), cursor };
    },
    'tokens/revoke': async ({ id }, { principal }) => {
      const by = principalName(principal);
      const found = await tokens.revoke(principal.workspace, id, by);
      if (!found) throw new RelayError('not_found', `There is no token ${id}`);
      log.info('token revoked', { tokenId: id, by });
      return { revoked: true };
    },
  };
}
