import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useAskedAgain } from '../../live/use-asked-again.ts';
import { useList } from '../../live/use-list.ts';
import { useLive, useMayCall } from '../../live/use-live.ts';
import { healthView, statsView } from '../../relay/system.ts';
import { sourcesView } from '../../relay/tasks.ts';
import { formatSpan } from '../format.ts';
import { known } from '../known.ts';
import { Problem } from '../problem.tsx';
import { ThemeSwitch } from '../theme-switch.tsx';
import { Configuration } from './configuration.tsx';
import { IntegrationRow } from './integration-row.tsx';
import { NoticeSettings } from './notice-settings.tsx';

/** How often the relay is asked how it is, while somebody looks. */
const ASK_MS = 10_000;

/** What this browser does, how the relay is and what it was started with, and which systems outside may hand in work. */
export function SettingsPage() {
  return (
    <main className="min-h-0 overflow-y-auto">
      <div className="mx-auto grid max-w-4xl grid-cols-[minmax(0,1fr)] gap-4 p-4 md:grid-cols-2">
        <h2 className="sr-only">Settings</h2>
        <Part title="This browser">
          <NoticeSettings />
          <p className="flex items-center gap-2">
            Colours <ThemeSwitch />
          </p>
          <p className="text-soft text-xs">
            The page can be installed from the browser’s menu. It then opens while the relay is away; what the relay says is kept nowhere.
          </p>
        </Part>
        <Part title="The relay">
          <RelayFacts />
          <Links />
        </Part>
        <Part title="Health">
          <HealthParts />
        </Part>
        <Part title="Integrations">
          <Integrations />
        </Part>
        <Part title="Configuration" isWide>
          <Configuration />
        </Part>
      </div>
    </main>
  );
}

interface PartProps {
  readonly title: string;
  readonly isWide?: boolean;
  readonly children: ReactNode;
}

const Part = ({ title, isWide = false, children }: PartProps) => (
  <section
    aria-label={title}
    className={`grid content-start gap-3 rounded-xl border border-line bg-panel p-4 ${isWide ? 'md:col-span-2' : ''}`}
  >
    <h3 className="font-medium text-soft text-xs uppercase tracking-wide">{title}</h3>
    {children}
  </section>
);

function RelayFacts() {
  const { data, error, readAgain } = useLive(statsView);
  useAskedAgain(readAgain, ASK_MS);
  if (data === undefined) return error === null ? <p className="text-soft">Reading…</p> : <Problem error={error} onRetry={readAgain} />;
  const { version, protocol, uptimeMs, cursor, oldest, agents, messages, nodes, sessions } = data;
  const facts = [
    ['Version', `${version}, protocol ${protocol}`],
    ['Runs for', formatSpan(uptimeMs)],
    ['Events', `${oldest} to ${cursor}`],
    ['Agents', `${agents.total}, ${agents.total - agents.offline} there`],
    ['Messages', `${messages.total}, ${messages.undelivered} not delivered yet`],
    [
      'Machines',
      `${nodes.total}, ${nodes.online} there, ${sessions.running === 1 ? 'one session runs' : `${sessions.running} sessions run`}`,
    ],
  ] as const;
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
      {facts.map(([name, words]) => (
        <div key={name} className="col-span-2 grid grid-cols-subgrid">
          <dt className="text-soft">{name}</dt>
          <dd className="tabular-nums [overflow-wrap:anywhere]">{words}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What else there is to look up, for whom it is. */
function Links() {
  const mayReadAudit = useMayCall('audit/list');
  const mayReadHooks = useMayCall('hooks/describe');
  const mayReadTokens = useMayCall('tokens/list');
  const look = 'text-accent hover:underline';
  return (
    <p className="flex flex-wrap gap-x-4 text-xs empty:hidden">
      {mayReadAudit ? (
        <Link to="/audit" className={look}>
          Who did what
        </Link>
      ) : null}
      {mayReadHooks ? (
        <Link to="/hooks" className={look}>
          Hooks
        </Link>
      ) : null}
      {mayReadTokens ? (
        <Link to="/tokens" className={look}>
          Tokens
        </Link>
      ) : null}
    </p>
  );
}

const tones: Readonly<Record<string, string>> = { ok: 'text-good', starting: 'text-soft', degraded: 'text-warn', failing: 'text-bad' };

const partWords: Readonly<Record<string, string>> = {
  database: 'Database',
  feed: 'Feed of events',
  disk: 'Disk',
  localNode: 'Agents of this machine',
};

function HealthParts() {
  const { data, error, readAgain } = useLive(healthView);
  useAskedAgain(readAgain, ASK_MS);
  if (data === undefined) return error === null ? <p className="text-soft">Reading…</p> : <Problem error={error} onRetry={readAgain} />;
  return (
    <ul className="grid gap-1">
      {Object.entries(data.parts).map(([name, { status, reason }]) => (
        <li key={name} className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3">
          <span>{known(partWords, name, (word) => word)}</span>
          <span className={known(tones, status, () => 'text-soft')}>{status}</span>
          {reason === undefined ? null : <span className="col-span-2 text-soft text-xs [overflow-wrap:anywhere]">{reason}</span>}
        </li>
      ))}
    </ul>
  );
}

function Integrations() {
  const { status, all, error, readAgain } = useList(sourcesView);
  if (status === 'failed') return <Problem error={error} onRetry={readAgain} />;
  if (status === 'refused') return <p className="text-soft">This token may not see them.</p>;
  if (status === 'reading') return <p className="text-soft">Reading…</p>;
  if (all.length === 0) {
    return (
      <p className="text-soft">
        None is set up. <code className="font-mono text-xs">AGENT_RELAY_INTEGRATIONS</code> names the systems outside that may hand in work.
      </p>
    );
  }
  return (
    <ul className="grid gap-2">
      {all.map((integration) => (
        <IntegrationRow key={integration.name} integration={integration} />
      ))}
    </ul>
  );
}
