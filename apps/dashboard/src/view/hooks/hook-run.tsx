import type { HookResult } from 'agent-relay-protocol';
import type { RememberedRun } from '../../relay/hooks.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { Fold } from '../fold.tsx';
import { outcomeLook, runWords, triggerWords } from './hook-words.ts';

/** What came of a run: why, and the end of what it wrote. */
export const RunDetail = ({ run: { detail, output } }: { readonly run: HookResult }) => (
  <div className="grid gap-2 pb-2 text-xs">
    {detail === undefined ? null : <p className="[overflow-wrap:anywhere]">{detail}</p>}
    {output === undefined || output === '' ? (
      <p className="text-soft">It wrote nothing.</p>
    ) : (
      <pre className="max-h-64 overflow-auto whitespace-pre-wrap rounded-lg bg-raised p-2.5 font-mono [overflow-wrap:anywhere]">
        {output}
      </pre>
    )}
  </div>
);

/** A run in a line; unfolded, what it said. */
export function HookRunLine({ run }: { readonly run: RememberedRun }) {
  const { key, at, hook, trigger, agentId, outcome, place } = run;
  const { mark, tone } = outcomeLook(outcome);
  return (
    <li className="border-line border-t first:border-t-0" data-run={hook}>
      <Fold
        name={key}
        summaryLook="flex cursor-pointer flex-wrap items-baseline gap-x-3 py-1.5 text-xs"
        summary={
          <>
            <span className={tone} aria-hidden="true">
              {mark}
            </span>
            <span className="font-medium [overflow-wrap:anywhere]">{hook}</span>
            <span className={tone}>{runWords(run)}</span>
            <span className="text-soft">
              {triggerWords(trigger)} · {place}
            </span>
            <span className="grow" />
            <span className="text-soft">
              <Ago at={at} />
            </span>
          </>
        }
      >
        {agentId === null ? null : (
          <p className="pb-2 text-xs">
            set off by <AgentLink id={agentId} />
          </p>
        )}
        <RunDetail run={run} />
      </Fold>
    </li>
  );
}
