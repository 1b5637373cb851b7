import type { AuditVerdict } from 'agent-relay-protocol';
import { useCommand } from '../../live/use-command.ts';
import { ActButton } from '../act-button.tsx';
import { Problem } from '../problem.tsx';

/** Whether nothing in it was changed or taken out, as far as the chain of hashes says. */
export function CheckChain() {
  const check = useCommand((relay) => relay.audit.verify());
  return (
    <>
      <ActButton
        className="button px-2.5 py-1 text-xs"
        title="Whether anything was changed or taken out"
        isBusy={check.isPending}
        onClick={() => check.run()}
      >
        {check.isPending ? 'Checking…' : check.output ? 'Check again' : 'Check the chain'}
      </ActButton>
      <span role="status" className="min-w-0 empty:hidden [overflow-wrap:anywhere]">
        {check.output ? <Verdict verdict={check.output} /> : null}
      </span>
      <Problem error={check.error} />
    </>
  );
}

function Verdict({ verdict: { checked, from, head, broken } }: { readonly verdict: AuditVerdict }) {
  if (broken !== null) return <span className="text-bad">{`✕ Entry ${broken.id} is broken: ${broken.reason}`}</span>;
  if (checked === 0) return <span className="text-good">✔ Sound, and empty</span>;
  return (
    <span className="text-good" title={`The last is ${head.hash}: noted elsewhere, it shows later that nothing was cut off`}>
      ✔ {`Sound: ${checked} entries${from.id === 0 ? '' : ` after ${from.id}`}, the last ${head.id} `}
      <code className="font-mono text-soft">{head.hash.slice(0, 12)}…</code>
    </span>
  );
}
