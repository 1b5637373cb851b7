import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useAskedAgain } from '../../live/use-asked-again.ts';
import { useList } from '../../live/use-list.ts';
import { useLive, useMayCall, useMe } from '../../live/use-live.ts';
import { type HookList, type HookSource, hooksOf, hooksView, runsOf } from '../../relay/hooks.ts';
import { nodesView } from '../../relay/sessions.ts';
import { UnfoldedContext } from '../fold.tsx';
import { Problem } from '../problem.tsx';
import { Empty } from '../split-page.tsx';
import { EditOwnHook } from './edit-own-hook.tsx';
import { HookRow } from './hook-row.tsx';
import { HookRunLine } from './hook-run.tsx';

const ASK_MS = 10_000;
const SHOWN_RUNS = 200;

/** What machines and the relay do by themselves when something happens, and what came of it. */
export function HooksPage() {
  const { data, error, readAgain } = useLive(hooksView);
  useAskedAgain(readAgain, ASK_MS);
  const isKnown = useMe() !== undefined;
  const mayRead = useMayCall('hooks/describe');
  const isRefused = isKnown && !mayRead;
  return (
    <main className="min-h-0 overflow-y-auto">
      <div className="measure grid grid-cols-[minmax(0,1fr)] gap-4 p-4">
        <header className="grid gap-1">
          <div className="flex items-baseline gap-3 text-xs">
            <h2 className="font-semibold text-sm">Hooks</h2>
            <Link to="/fleet" className="text-accent hover:underline">
              Machines
            </Link>
          </div>
          <p className="max-w-prose text-soft text-xs">
            What happens by itself when something happens to an agent. Each machine has its own in a file that only its owner writes; saved
            is in force. From here they can be looked at and tried, and those of the relay itself written.
          </p>
        </header>
        {isRefused ? <Empty title="Hooks are for the owner." /> : null}
        <Problem error={error} onRetry={readAgain} />
        {data === undefined ? (
          !isRefused && error === null && <p className="text-soft">Asking the machines…</p>
        ) : (
          <Everywhere hooks={data} onChange={readAgain} />
        )}
      </div>
    </main>
  );
}

interface HooksShown {
  readonly hooks: HookList;
  readonly onChange: () => void;
}

function Everywhere({ hooks, onChange }: HooksShown) {
  const nodes = useList(nodesView).all;
  const unasked = nodes.filter(({ nodeId }) => !hooks.sources.some((source) => source.nodeId === nodeId)).map(({ name }) => name);
  const runs = runsOf(hooks);
  const [unfolded] = useState(() => new Set<string>());
  return (
    <>
      {hooks.hooks.length === 0 ? <HowTo /> : null}
      {hooks.sources.map((source) => (
        <Source key={source.nodeId ?? ''} source={source} hooks={hooks} onChange={onChange} />
      ))}
      {unasked.length === 0 ? null : (
        <p className="text-soft text-xs [overflow-wrap:anywhere]">Away, or too old to say what they have: {unasked.join(', ')}</p>
      )}
      <Box title={runs.length > SHOWN_RUNS ? `The newest ${SHOWN_RUNS} of ${runs.length} runs` : 'Runs'}>
        {runs.length === 0 ? <p className="text-soft">No hook has run since these programs were started.</p> : null}
        <UnfoldedContext value={unfolded}>
          <ul>
            {runs.slice(0, SHOWN_RUNS).map((run) => (
              <HookRunLine key={run.key} run={run} />
            ))}
          </ul>
        </UnfoldedContext>
      </Box>
    </>
  );
}

const Box = ({ title, children }: { readonly title: string; readonly children: ReactNode }) => (
  <section aria-label={title} className="grid grid-cols-[minmax(0,1fr)] content-start gap-2 rounded-xl border border-line bg-panel p-4">
    <h3 className="font-medium text-soft text-xs uppercase tracking-wide [overflow-wrap:anywhere]">{title}</h3>
    {children}
  </section>
);

/** One machine, or the relay itself. */
function Source({ source, hooks, onChange }: HooksShown & { readonly source: HookSource }) {
  const { nodeId, name, file, fault } = source;
  const own = hooksOf(hooks, nodeId);
  return (
    <Box title={nodeId === null ? 'The relay itself' : name}>
      {fault === null ? null : (
        <p role="alert" className="rounded-lg border border-bad/50 p-2.5 text-xs [overflow-wrap:anywhere]">
          <span className="text-bad">The file cannot be followed as it is now; what it said before holds.</span> {fault}
        </p>
      )}
      <p className="text-soft text-xs [overflow-wrap:anywhere]">
        {file === null ? 'There is no file yet.' : 'Written in '}
        {file === null ? null : <code className="font-mono">{file}</code>}
        {nodeId === null && file !== null ? ', under relay' : ''}
      </p>
      {own.length === 0 ? <p className="text-soft">No hooks.</p> : null}
      <ul>
        {own.map((hook) => (
          <HookRow key={hook.name} hook={hook} source={source} onChange={onChange} />
        ))}
      </ul>
      {nodeId === null && fault === null ? (
        <div>
          <EditOwnHook hook={null} onDone={onChange} />
        </div>
      ) : null}
    </Box>
  );
}

const example = `hooks:
  "*":                    # every agent, or a kind such as codex
    on_turn_complete:
      - notify: "\${agent} is done"
    on_file_change:
      - command: ["npx", "eslint", "\${file}"]
        feedback: true    # what it finds, the agent reads
  relay:                  # what the relay itself does
    on_task_failed:
      - relay: Lead
`;

/** How the first hook comes to be. */
const HowTo = () => (
  <Box title="How to begin">
    <p>
      Write <code className="font-mono text-xs">~/.agent-relay/agent-relay.yaml</code> on the machine that runs the agents, for example:
    </p>
    <pre className="overflow-auto rounded-lg bg-raised p-2.5 font-mono text-xs">{example}</pre>
  </Box>
);
