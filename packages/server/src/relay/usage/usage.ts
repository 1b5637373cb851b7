import { DEFAULT_PAGE_SIZE } from 'agent-relay-protocol';
import { assertNothingOf } from '../access/registered.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';

export const usageHandlers = ({ store }: Pick<RelayCore, 'store'>): Pick<RelayHandlers, 'usage/list'> => ({
  'usage/list': async ({ limit = DEFAULT_PAGE_SIZE, ...query }, { principal }) => {
    const { items, cursor, next } = await store.usage.list({ ...query, workspace: principal.workspace, limit });
    if (query.agent !== undefined && query.after === undefined)
      assertNothingOf(store.agents.index.in(principal.workspace), query.agent, items);
    return { data: [...items], cursor, ...(next === null ? {} : { nextCursor: next }) };
  },
});
