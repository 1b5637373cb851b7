import { LISTED_READERS, type WorkItem } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { isOfferedNow } from '../../domain/audience.ts';
import type { AddressEntry } from '../../domain/directory.ts';
import { nobody } from '../../domain/readership.ts';
import { keptPage } from '../../store/kept-page.ts';
import type { Store, WorkFound } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { registered } from '../access/registered.ts';
import { listed, pageOf } from '../contract/listed.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';

export interface WorkListDeps {
  readonly store: Pick<Store, 'agents' | 'claims' | 'messages' | 'tasks'>;
  readonly clock: Clock;
  readonly readers: Readers;
}

/** What is offered, to one agent or to anybody, among what the caller may read. */
export function workList({ store, clock, readers }: WorkListDeps): RelayHandlers['work/list'] {
  return async ({ for: agentId, held = false, ...asked }, { principal }) => {
    const { workspace } = principal;
    const { after: from, limit } = pageOf(asked);
    const agents = store.agents.index.in(workspace);
    if (agentId !== undefined) registered(agents, agentId);
    const entry = agentId === undefined ? undefined : agents.find(agentId);
    const now = clock.now();
    const { mayRead } = readers.of(principal);
    const addresses = entry ? offeredAddresses(entry) : null;
    const { items, cursor, next } = await keptPage<WorkFound>({
      from,
      limit,
      read: (after) => store.claims.listWork(workspace, { addresses, held, after, limit }),
      positionOf: ({ stored }) => stored.message.id,
      keep: (found) => {
        const { message } = found.stored;
        return isListed(found, held, now) && (!entry || isOfferedNow(message, entry)) && mayRead(message, nobody);
      },
    });
    const details = await store.messages.detail(
      items.map(({ stored }) => stored),
      LISTED_READERS,
    );
    const tasks = await store.tasks.among(
      workspace,
      details.map(({ id }) => id),
    );
    const work = details.map((message): WorkItem => {
      const offered = { message, claim: message.claim?.status === 'held' ? message.claim : null };
      const task = tasks.get(message.id);
      return task ? { kind: 'task', ...offered, task } : { kind: 'message', ...offered };
    });
    return listed({ items: work, cursor, next: details.length < items.length ? (details.at(-1)?.id ?? null) : next });
  };
}

/** Whether somebody may take it up, or with `held` has: what was deleted is over, and what ran out before anybody had it. */
function isListed({ stored: { message }, status, fence }: WorkFound, held: boolean, now: number): boolean {
  if (message.deletedAt !== null) return false;
  if (status === 'held') return held;
  return fence > 0 || message.expiresAt === null || message.expiresAt > now;
}

/** Null asks for all: who follows every channel belongs to more addresses than can be named. */
function offeredAddresses({ agentId, intervals }: AddressEntry): readonly string[] | null {
  if (intervals.get('channel:*')?.at(-1)?.untilSeq === null) return null;
  return [`id:${agentId}`, ...intervals.keys()];
}
