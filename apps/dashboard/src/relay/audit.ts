import type { AuditEntry } from 'agent-relay-protocol';
import { useEffect } from 'react';
import { useAskedAgain } from '../live/use-asked-again.ts';
import { type List, useList } from '../live/use-list.ts';
import type { ListView } from '../live/view.ts';
import type { AuditFilter } from './audit-filter.ts';
import { byId } from './collect.ts';

const PAGE = 100;
const ASK_MS = 10_000;

/** Who did what, newest first, page by page. The log does not tell of it. */
const auditView = (filter: AuditFilter): ListView<AuditEntry> => ({
  name: 'audit',
  id: JSON.stringify(filter),
  route: 'audit/list',
  read: (relay) => relay.audit.list({ ...filter, limit: PAGE }),
  apply: (entries) => entries,
  older: {
    oldest: 'last',
    read: async (relay, known) => {
      const { data, nextCursor } = await relay.audit.list({ ...filter, limit: PAGE, before: known.at(-1)?.id ?? 1 });
      return { data, isEnd: nextCursor === undefined };
    },
    merge: (known, older) => mergeEntries(known, older),
  },
});

/** Its newest page, which is asked for again and again: what was read further back stays. */
const newestView = (filter: AuditFilter): ListView<AuditEntry> => {
  const { older: _older, ...view } = auditView(filter);
  return { ...view, id: `newest ${view.id}` };
};

export const mergeEntries = (entries: readonly AuditEntry[], more: readonly AuditEntry[]): readonly AuditEntry[] =>
  [...new Map([...entries, ...more].map((entry) => [entry.id, entry])).values()].sort((one, other) => byId(other) - byId(one));

/** Whether there may be entries between what was read and the newest page. */
export const isApart = (entries: readonly AuditEntry[], newest: readonly AuditEntry[]): boolean =>
  newest.length > 0 && byId(newest.at(-1) ?? { id: 0 }) > byId(entries[0] ?? { id: 0 });

/** Who did what, as it is now. */
export function useAudit(filter: AuditFilter): List<AuditEntry> {
  const newest = useList(newestView(filter));
  const list = useList(auditView(filter), (all) => mergeEntries(newest.all, all));
  useAskedAgain(newest.readAgain, ASK_MS);
  const isBehind = list.status === 'ready' && isApart(list.all, newest.all);
  const { readAgain } = list;
  useEffect(() => {
    if (isBehind) readAgain();
  }, [isBehind, readAgain]);
  return list;
}
