import { DEFAULT_PAGE_SIZE } from 'agent-relay-protocol';
import type { RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';

export const usageHandlers = ({ store }: Pick<RelayCore, 'store'>): Pick<RelayHandlers, 'usage/list'> => ({
  'usage/list': async ({ limit = DEFAULT_PAGE_SIZE, ...query }, { principal }) => {
    const { items, cursor, next } = await store.usage.list({ ...query, workspace: principal.workspace, limit });
    return { data: [...items], cursor, ...(next === null ? {} : { nextCursor: next }) };
  },
});
