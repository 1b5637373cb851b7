import type { Command } from '../../live/use-command.ts';
import { useList } from '../../live/use-list.ts';
import { nodesView } from '../../relay/sessions.ts';
import { NoMachine } from '../fleet/no-machine.tsx';
import { DialogEnd } from '../form/dialog-end.tsx';
import { Form } from '../form/form.tsx';
import { Problem } from '../problem.tsx';
import { readSpawnForm, type StartSessionRequest } from './read-spawn-form.ts';
import { SpawnFields } from './spawn-fields.tsx';

/** The form for the machines that are there, or why there is none to fill. */
export function SpawnForm({ start }: { readonly start: Command<StartSessionRequest, unknown> }) {
  const nodes = useList(nodesView);
  const [first, ...others] = nodes.all.filter(({ status }) => status === 'online');
  if (nodes.status === 'reading') return <p className="text-soft">Looking for machines…</p>;
  if (nodes.status === 'failed') return <Problem error={nodes.error} onRetry={nodes.readAgain} />;
  if (first === undefined) return <NoMachine away={nodes.all.map(({ name }) => name)} />;
  return (
    <Form className="space-y-3" onSubmit={(fields) => start.run(readSpawnForm(fields))}>
      <SpawnFields machines={[first, ...others]} />
      <DialogEnd command={start} word="Start" pendingWord="Starting…" />
    </Form>
  );
}
