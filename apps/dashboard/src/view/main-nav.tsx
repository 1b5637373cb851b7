import { Link } from '@tanstack/react-router';
import { useList } from '../live/use-list.ts';
import { useMayCall } from '../live/use-live.ts';
import type { ListView } from '../live/view.ts';
import { approvalsView, isPendingApproval } from '../relay/approvals.ts';
import { callbacksView } from '../relay/callbacks.ts';
import { holdsView, isOpenHold } from '../relay/holds.ts';
import { isOpenPair, pairsView } from '../relay/pairs.ts';
import { isEndedTask, tasksView } from '../relay/tasks.ts';
import { formatCount } from './format.ts';

/** What waits for a person. */
const waiting = 'bg-warn text-ground';

/** The pages, and how much each has that is open; what wants a person is in colour. */
export function MainNav() {
  const mayListTokens = useMayCall('tokens/list');
  const active = useList(tasksView).all.filter((task) => !isEndedTask(task));
  const blocked = active.filter(({ status }) => status === 'blocked').length;
  return (
    <nav aria-label="Pages" className="order-last -mx-2 flex w-full flex-wrap gap-x-1 text-xs sm:text-sm xl:order-none xl:mx-0 xl:w-auto">
      <Page to="/" name="Messages" />
      <Page to="/approvals" name="Approvals" count={useCount(approvalsView, isPendingApproval)} meaning="waiting" tone={waiting} />
      <Page to="/holds" name="Held" count={useCount(holdsView, isOpenHold)} meaning="waiting" tone={waiting} />
      <Page to="/tasks" name="Tasks" count={active.length} meaning={blocked > 0 ? `active, ${blocked} blocked` : 'active'} />
      <Page to="/pairs" name="Pairs" count={useCount(pairsView, isOpenPair)} meaning="open" />
      <Page to="/channels" name="Channels" />
      <Page to="/callbacks" name="Callbacks" count={useCount(deadCallbacks)} meaning="gave up" tone="bg-bad text-ground" />
      {mayListTokens ? <Page to="/tokens" name="Tokens" /> : null}
    </nav>
  );
}

const deadCallbacks = callbacksView('dead');

function useCount<Item>(view: ListView<Item>, isCounted: (item: Item) => boolean = () => true): number {
  return useList(view).all.filter(isCounted).length;
}

interface PageProps {
  readonly to: '/' | '/approvals' | '/holds' | '/tasks' | '/pairs' | '/channels' | '/callbacks' | '/tokens';
  readonly name: string;
  readonly count?: number;
  /** What the count counts. */
  readonly meaning?: string;
  readonly tone?: string;
}

function Page({ to, name, count = 0, meaning = '', tone = 'bg-raised text-soft' }: PageProps) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      className="flex shrink-0 items-center gap-1.5 rounded-lg px-2 py-1 text-soft hover:text-ink"
      activeProps={{ className: 'bg-raised text-ink!' }}
    >
      {name}
      {count > 0 ? (
        <span className={`rounded-full px-1.5 font-medium text-xs tabular-nums ${tone}`} title={`${count} ${meaning}`}>
          {formatCount(count)} <span className="sr-only">{meaning}</span>
        </span>
      ) : null}
    </Link>
  );
}
