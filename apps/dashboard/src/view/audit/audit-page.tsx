import { useNavigate } from '@tanstack/react-router';
import { callTable, routeNames } from 'agent-relay-protocol';
import { useList } from '../../live/use-list.ts';
import { agentsView } from '../../relay/agents.ts';
import { useAudit } from '../../relay/audit.ts';
import { type AuditFilter, readAuditFilter } from '../../relay/audit-filter.ts';
import { tokensView } from '../../relay/tokens.ts';
import { Narrow } from '../form/narrow.tsx';
import { ListPane } from '../list-pane.tsx';
import { OlderRows } from '../older-rows.tsx';
import { Empty } from '../split-page.tsx';
import { AuditLine } from './audit-line.tsx';
import { CheckChain } from './check-chain.tsx';

/** Who used power over others: started, steered, answered, let in, removed. */
export function AuditPage({ filter }: { readonly filter: AuditFilter }) {
  const list = useAudit(filter);
  const tokens = useList(tokensView).all;
  const tokenName = (tokenId: string) => tokens.find((token) => token.tokenId === tokenId)?.name ?? null;
  return (
    <main className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <AuditTools filter={filter} mayRead={list.status !== 'refused'} />
      <section aria-label="Audit" className="flex min-h-0 flex-col">
        <ListPane
          key={JSON.stringify(filter)}
          list={{ ...list, all: list.items }}
          label="What was done"
          keyOf={({ id }) => id}
          rowHeight={34}
          row={(entry) => <AuditLine entry={entry} tokenName={tokenName} />}
          refused="The audit is for the owner."
          empty={
            <Empty title={filter.action === undefined && filter.by === undefined ? 'Nothing was done yet.' : 'Nothing fits.'}>
              <p>Whoever starts, steers or releases agents, answers them, lets somebody in or takes a right away is remembered here.</p>
            </Empty>
          }
          footer={<OlderRows list={list} end="That is the first that is kept." />}
        />
      </section>
    </main>
  );
}

const actions = routeNames.filter((name) => callTable[name].method !== 'GET');

/** What narrows it, and whether it is whole. */
function AuditTools({ filter, mayRead }: { readonly filter: AuditFilter; readonly mayRead: boolean }) {
  const navigate = useNavigate();
  const agents = useList(agentsView).all;
  const tokens = useList(tokensView).all;
  const set = (name: keyof AuditFilter, value: string) =>
    void navigate({ to: '/audit', search: (before) => readAuditFilter({ ...before, [name]: value }), replace: true });
  const callers = [
    'owner',
    ...agents.map(({ id }) => `agent:${id}`),
    ...tokens.flatMap(({ kind, name }) => (kind === 'scoped' && name !== null ? [`token:${name}`] : [])),
  ];
  return (
    <header className="border-line border-b bg-panel">
      <div className="measure flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-1.5 text-xs">
        <h2 className="font-semibold text-sm">Audit</h2>
        {mayRead ? <CheckChain /> : null}
        <span className="grow max-sm:hidden" />
        <Narrow label="Who" all="by anybody" list={callers} value={filter.by} onSet={(value) => set('by', value)} />
        <Narrow label="Operation" all="any operation" list={actions} value={filter.action} onSet={(value) => set('action', value)} />
      </div>
    </header>
  );
}
