import { DEFAULT_PAGE_SIZE } from 'agent-relay-protocol';
import { watchedIn } from '../../domain/act-as.ts';
import { assertMayWatch, mayWatch } from '../../domain/spawn-rules.ts';
import { assertNothingOf } from '../access/registered.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';

export const usageHandlers = ({ store }: Pick<RelayCore, 'store'>): Pick<RelayHandlers, 'usage/list'> => ({
  'usage/list': async ({ limit = DEFAULT_PAGE_SIZE, ...query }, { principal }) => {
    const agents = store.agents.index.in(principal.workspace);
    if (query.agent !== undefined) assertMayWatch(principal, watchedIn(agents, query.agent));
    const { items, cursor, next } = await store.usage.list({ ...query, workspace: principal.workspace, limit });
    if (query.agent !== undefined && query.after === undefined) assertNothingOf(agents, query.agent, items);
    const shown = items.filter(({ agentId }) => mayWatch(principal, watchedIn(agents, agentId)));
    return { data: shown, cursor, ...(next === null ? {} : { nextCursor: next }) };
  },
});
