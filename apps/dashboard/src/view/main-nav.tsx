import { Link } from '@tanstack/react-router';
import { isEndedTask, isOpenHold, isOverPair, isPendingApproval } from '../relay/collections.ts';
import { useApprovals } from '../relay/use-approvals.ts';
import { useCallbacks } from '../relay/use-callbacks.ts';
import { useHolds } from '../relay/use-holds.ts';
import { usePairs } from '../relay/use-pairs.ts';
import { useMayCall } from '../relay/use-relay.ts';
import { useTasks } from '../relay/use-tasks.ts';
import { formatCount } from './format.ts';

/** What waits for a person. */
const waiting = 'bg-warn text-ground';

/** The pages, and how much each has that is open; what wants a person is in colour. */
export function MainNav() {
  const { data: tasks = [] } = useTasks();
  const { data: pairs = [] } = usePairs();
  const { data: dead = [] } = useCallbacks('dead');
  const { data: approvals = [] } = useApprovals();
  const { data: holds = [] } = useHolds();
  const mayListTokens = useMayCall('tokens/list');
  const active = tasks.filter((task) => !isEndedTask(task));
  const blocked = active.filter(({ status }) => status === 'blocked').length;
  const open = pairs.filter((pair) => !isOverPair(pair)).length;
  return (
    <nav aria-label="Pages" className="order-last -mx-2 flex w-full flex-wrap gap-x-1 text-xs sm:text-sm xl:order-none xl:mx-0 xl:w-auto">
      <Page to="/" name="Messages" />
      <Page to="/approvals" name="Approvals" count={approvals.filter(isPendingApproval).length} meaning="waiting" tone={waiting} />
      <Page to="/holds" name="Held" count={holds.filter(isOpenHold).length} meaning="waiting" tone={waiting} />
      <Page to="/tasks" name="Tasks" count={active.length} meaning={blocked > 0 ? `active, ${blocked} blocked` : 'active'} />
      <Page to="/pairs" name="Pairs" count={open} meaning="open" />
      <Page to="/channels" name="Channels" />
      <Page to="/callbacks" name="Callbacks" count={dead.length} meaning="gave up" tone="bg-bad text-ground" />
      {mayListTokens ? <Page to="/tokens" name="Tokens" /> : null}
    </nav>
  );
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
