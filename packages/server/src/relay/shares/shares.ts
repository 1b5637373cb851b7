import { principalName, RelayError, type RouteInput, type Session, SHARED_PAGE, type Share, shareLimits } from 'agent-relay-protocol';
import type { TokenRecord } from '../../domain/change.ts';
import { beginToken } from '../../domain/token-changes.ts';
import { registered } from '../access/registered.ts';
import { listedById } from '../contract/listed.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';

type SharesDeps = Pick<RelayCore, 'store' | 'clock' | 'log' | 'tokens'>;
type ShareHandlers = HandlersOf<'shared' | 'shares'>;

/** Links to the log of one session. Each is a token, and what comes with it is a principal that reads that log and does nothing. */
export function shareHandlers({ store, clock, log, tokens }: SharesDeps): ShareHandlers {
  return {
    'shares/create': async (input, { principal }) => {
      const { workspace } = principal;
      const { agentId, sessionId } = await sessionToShare(store, workspace, input);
      const createdBy = principalName(principal);
      const expiresAt = clock.now() + (input.expiresInMs ?? shareLimits.defaultMs);
      const { token, record } = tokens.mint('share', { workspace, agentId, expiresAt, share: { sessionId, createdBy } });
      await store.tokens.begin(workspace, () => ({ answer: null, change: beginToken(record, createdBy) }));
      log.info('log shared', { shareId: record.tokenId, agentId, sessionId, by: createdBy });
      return { ...describeShare(record, sessionId, expiresAt), code: token, path: `${SHARED_PAGE}#${token}` };
    },
    'shares/list': async ({ agent, ...page }, { principal }) => {
      if (agent !== undefined) registered(store.agents.index.in(principal.workspace), agent);
      const cursor = store.log.head;
      const shares = (await store.tokens.list(principal.workspace)).flatMap((record) => shareOf(record, clock.now()) ?? []);
      const wanted = agent === undefined ? shares : shares.filter(({ agentId }) => agentId === agent);
      return { ...listedById(wanted, ({ id }) => id, page), cursor };
    },
    'shares/revoke': async ({ id }, { principal }) => {
      const { workspace } = principal;
      const isShare = (await store.tokens.list(workspace)).some(({ tokenId, type }) => tokenId === id && type === 'share');
      const by = principalName(principal);
      if (!isShare || !(await tokens.revoke(workspace, id, by))) throw new RelayError('not_found', `There is no link ${id}`);
      log.info('link to a log revoked', { shareId: id, by });
      return { revoked: true };
    },
    'shared/get': async (_input, { principal }) => {
      if (principal.type !== 'share') throw new RelayError('forbidden', "This is for whoever has a link: a link's code is the token");
      const { workspace, agentId, sessionId } = principal;
      const session = await store.sessions.get(workspace, sessionId);
      if (session === null) throw new RelayError('not_found', 'The session of this link is not kept any more');
      const { provider, status, startedAt, endedAt } = session;
      const label = store.agents.index.in(workspace).find(agentId)?.agent?.label ?? null;
      const expiresAt = tokens.lives.expiryOf(principal) ?? 0;
      return { agentId, label, provider, sessionId, status, startedAt, endedAt, expiresAt };
    },
  };
}

/** @throws RelayError `not_found`. */
async function sessionToShare(
  store: SharesDeps['store'],
  workspace: string,
  { agentId, sessionId }: RouteInput<'shares/create'>,
): Promise<Session> {
  const named = sessionId === undefined ? null : await store.sessions.get(workspace, sessionId);
  if (named?.agentId === agentId) return named;
  if (sessionId !== undefined) throw new RelayError('not_found', `${agentId} has no session ${sessionId}`);
  const [latest] = (await store.sessions.list({ workspace, agentId, limit: 1 })).items;
  if (latest) return latest;
  registered(store.agents.index.in(workspace), agentId);
  throw new RelayError('not_found', `No machine of this relay has run ${agentId}, so there is no log of it to share`);
}

function shareOf(record: TokenRecord, now: number): Share | null {
  const { type, share, expiresAt } = record;
  return type === 'share' && share && expiresAt !== null && expiresAt > now ? describeShare(record, share.sessionId, expiresAt) : null;
}

const describeShare = ({ tokenId, agentId, createdAt, share }: TokenRecord, sessionId: string, expiresAt: number): Share => ({
  id: tokenId,
  agentId: agentId ?? '',
  sessionId,
  createdAt,
  createdBy: share?.createdBy ?? null,
  expiresAt,
});
