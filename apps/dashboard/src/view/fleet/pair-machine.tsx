import type { NodePairing } from 'agent-relay-protocol';
import { useEffect } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { pairingsView } from '../../relay/pairings.ts';
import { ActButton } from '../act-button.tsx';
import { Ago } from '../ago.tsx';
import { Form } from '../form/form.tsx';
import { Problem } from '../problem.tsx';
import { terminalAddress } from '../terminal-address.ts';

/** How often it is asked who wants in: the log tells of machines once they are let in. */
const ASK_MS = 5_000;

/** Lets a machine in by the code that it shows. */
export function PairMachine() {
  const pairings = useList(pairingsView);
  const { readAgain } = pairings;
  useEffect(() => {
    const timer = setInterval(readAgain, ASK_MS);
    return () => clearInterval(timer);
  }, [readAgain]);
  const pair = useCommand((relay, code: string) => relay.nodes.pair({ code }));
  return (
    <section aria-label="Let a machine in" className="border-line border-b bg-panel">
      <div className="measure grid grid-cols-[minmax(0,1fr)] gap-2 px-4 py-3 text-sm">
        <Form
          className="flex flex-wrap items-center gap-2"
          onSubmit={(fields, form) => {
            if (fields.text('code') === '') return;
            pair.run(fields.text('code'));
            form.reset();
          }}
        >
          <label className="flex items-center gap-2">
            Code that the machine shows
            <input name="code" className="field w-32 font-mono uppercase" placeholder="K7QM-4XTP" autoComplete="off" />
          </label>
          <ActButton type="submit" className="button" isBusy={pair.isPending}>
            {pair.isPending ? 'Letting in…' : 'Let it in'}
          </ActButton>
          <code className="text-soft text-xs [overflow-wrap:anywhere]">
            npx agent-relay-connect pair --url {terminalAddress(window.location)}
          </code>
          {pair.output === undefined ? null : <span role="status">{pair.output.name} was let in.</span>}
        </Form>
        <Problem error={pair.error} />
        <ul className="grid gap-1 empty:hidden">
          {pairings.all.map((asking) => (
            <Asking key={asking.code} asking={asking} isBusy={pair.isPending} onAccept={() => pair.run(asking.code)} />
          ))}
        </ul>
      </div>
    </section>
  );
}

interface AskingProps {
  readonly asking: NodePairing;
  readonly isBusy: boolean;
  readonly onAccept: () => void;
}

/** Whoever accepts compares the code with the one on the machine: its name is what it says of itself. */
const Asking = ({ asking: { code, name, address, version, askedAt, expiresAt }, isBusy, onAccept }: AskingProps) => (
  <li className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg bg-raised px-3 py-1.5 text-xs" data-pairing={code}>
    <code className="font-mono font-semibold text-sm">{code}</code>
    <span className="min-w-0 [overflow-wrap:anywhere]">
      “{name}” asks from {address}, version {version}, <Ago at={askedAt} />; the code ends <Ago at={expiresAt} />
    </span>
    <span className="grow" />
    <ActButton className="button px-2 py-0.5 text-xs" isBusy={isBusy} aria-label={`Let in ${name} with code ${code}`} onClick={onAccept}>
      Let in
    </ActButton>
  </li>
);
