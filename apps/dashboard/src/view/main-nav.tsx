import { Link, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useLive, useMayCall } from '../live/use-live.ts';
import { callbackCount, deadLetterCount, openHolds, openPairCount, pendingApprovals, stalledAgents } from '../relay/open-counts.ts';
import { taskCountsView, totalOf } from '../relay/tasks.ts';
import { formatCount } from './format.ts';
import { SavedViews } from './saved-views/saved-views-nav.tsx';
import { useTitle } from './use-title.ts';

/** What waits for a person. */
const waiting = 'bg-warn text-ground';

/** The pages, and how much each has that is open; what wants a person is in colour. */
export function MainNav() {
  const mayListTokens = useMayCall('tokens/list');
  useTitle();
  const nav = useCurrentInSight();
  const tasks = useLive(activeTasks).data;
  const blocked = tasks?.['blocked'] ?? 0;
  return (
    <nav
      ref={nav}
      aria-label="Pages"
      className="relative order-last -mx-2 flex w-full min-w-0 gap-x-1 scrolls-sideways text-sm 2xl:order-none 2xl:mx-0 2xl:w-auto 2xl:px-0"
    >
      <Page to="/" name="Overview" count={useLive(stalledAgents).data?.length} meaning="stalled" tone={waiting} />
      <Page to="/messages" name="Messages" count={useLive(deadLetterCount).data} meaning="did not arrive" tone="bg-bad text-ground" />
      <Page to="/approvals" name="Approvals" count={useLive(pendingApprovals).data} meaning="waiting" tone={waiting} />
      <Page to="/holds" name="Held" count={useLive(openHolds).data} meaning="waiting" tone={waiting} />
      <Page to="/tasks" name="Tasks" count={tasks && totalOf(tasks)} meaning={blocked > 0 ? `active, ${blocked} blocked` : 'active'} />
      <Page to="/pairs" name="Pairs" count={useLive(openPairCount).data} meaning="open" />
      <Page to="/channels" name="Channels" />
      <Page to="/callbacks" name="Callbacks" count={useLive(deadCallbacks).data} meaning="gave up" tone="bg-bad text-ground" />
      <Page to="/fleet" name="Fleet" />
      <Page to="/usage" name="Usage" />
      <Page to="/search" name="Search" />
      <Page to="/events" name="Events" />
      {mayListTokens ? <Page to="/tokens" name="Tokens" /> : null}
      {/* Where there is room it stands beside the colours. */}
      <span className="contents sm:hidden">
        <Page to="/settings" name="Settings" />
      </span>
      <SavedViews />
    </nav>
  );
}

/** On a phone most of the pages are out of sight, and where one is should not be: also once counts have made the others wider, or it was turned. */
function useCurrentInSight() {
  const nav = useRef<HTMLElement>(null);
  const path = useLocation({ select: ({ pathname }) => pathname });
  const shown = useRef('');
  useEffect(() => {
    const current = nav.current?.querySelector('[aria-current]');
    const place = `${path} ${nav.current?.scrollWidth}`;
    if (!current || shown.current === place) return;
    shown.current = place;
    current.scrollIntoView(inTheMiddle);
  });
  useEffect(() => {
    if (!nav.current) return;
    const turned = new ResizeObserver(([{ target } = {}]) => target?.querySelector('[aria-current]')?.scrollIntoView(inTheMiddle));
    turned.observe(nav.current);
    return () => turned.disconnect();
  }, []);
  return nav;
}

const inTheMiddle = { inline: 'center', block: 'nearest' } as const;
const deadCallbacks = callbackCount('dead');
const activeTasks = taskCountsView({});

interface PageProps {
  readonly to:
    | '/'
    | '/messages'
    | '/fleet'
    | '/approvals'
    | '/holds'
    | '/tasks'
    | '/pairs'
    | '/channels'
    | '/callbacks'
    | '/usage'
    | '/search'
    | '/events'
    | '/tokens'
    | '/settings';
  readonly name: string;
  /** Undefined while it is not known. */
  readonly count?: number | undefined;
  /** What the count counts. */
  readonly meaning?: string;
  readonly tone?: string;
}

/** Pages that another's link stands for. */
const under: Readonly<Record<string, PageProps['to']>> = {
  '/rules': '/approvals',
  '/graph': '/messages',
  '/audit': '/events',
  '/hooks': '/fleet',
  '/reservations': '/fleet',
};

function Page({ to, name, count = 0, meaning = '', tone = 'bg-raised text-soft' }: PageProps) {
  const path = useLocation({ select: ({ pathname }) => pathname });
  const isUnder = (path.startsWith('/agents/') ? '/messages' : under[path]) === to;
  return (
    <Link
      to={to}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      {...(isUnder && { 'aria-current': 'true' as const })}
      className={`flex shrink-0 items-center gap-1.5 rounded-lg px-2 py-1 hover:text-ink ${isUnder ? 'bg-raised text-ink' : 'text-soft'}`}
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
