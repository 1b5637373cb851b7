import { type Principal, principalName } from 'agent-relay-protocol';
import { watchedIn } from '../../domain/act-as.ts';
import { maySeeApprovals } from '../../domain/approval.ts';
import { mayWatch } from '../../domain/spawn-rules.ts';
import type { LogReader } from '../../events/event-feed.ts';
import type { Store } from '../../store/store.ts';
import { actsAsOwner } from './access.ts';
import type { Readers } from './readers.ts';

/** A caller as a reader of the log: what it is told of. */
export function logReaderOf(
  { store, readers }: { readonly store: Pick<Store, 'agents'>; readonly readers: Readers },
  principal: Principal,
): LogReader {
  const { workspace } = principal;
  const seesApprovalsOf = (agentId: string | null) =>
    maySeeApprovals(principal, agentId === null ? null : watchedIn(store.agents.index.in(workspace), agentId));
  const watched = (agentId: string) => mayWatch(principal, watchedIn(store.agents.index.in(workspace), agentId));
  const { reading: _reading, ...rights } = readers.of(principal);
  return { workspace, caller: principalName(principal), ...rights, seesTokens: actsAsOwner(principal), seesApprovalsOf, mayWatch: watched };
}
