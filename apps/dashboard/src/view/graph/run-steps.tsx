import type { RunStep } from '../../relay/recorded-run.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';

const SHOWN = 100;

/** What was done with tasks, claims and questions up to a time, newest first. */
export function RunSteps({ steps, until }: { readonly steps: readonly RunStep[]; readonly until: number }) {
  const done = steps.filter(({ at }) => at <= until);
  if (steps.length === 0) return null;
  return (
    <table className="w-full border-line border-t text-xs" aria-label="What was done">
      <thead className="text-left text-soft">
        <tr>
          <th className="px-3 py-1.5 font-medium">Who</th>
          <th className="px-3 py-1.5 font-medium">What was done</th>
          <th className="px-3 py-1.5 text-right font-medium">When</th>
        </tr>
      </thead>
      <tbody>
        {done
          .slice(-SHOWN)
          .reverse()
          .map((step, index) => (
            <tr key={`${done.length - index}`} className="border-line border-t" data-step={step.words}>
              <td className="px-3 py-1.5 [overflow-wrap:anywhere]">
                <AgentLink id={step.agentId} />
              </td>
              <td className="px-3 py-1.5 [overflow-wrap:anywhere]">{step.words}</td>
              <td className="px-3 py-1.5 text-right text-soft">
                <Ago at={step.at} />
              </td>
            </tr>
          ))}
      </tbody>
    </table>
  );
}
