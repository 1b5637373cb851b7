import type { Node } from 'agent-relay-client';
import { useState } from 'react';
import { Choices } from '../form/choices.tsx';
import { Labelled } from '../form/labelled.tsx';
import { modeWords, type ProviderOffer, providersOf, saysWhatHappens } from './spawn-words.ts';

const field = 'field w-full min-w-0 px-2 text-xs sm:text-sm';

const modes = [
  { id: 'safe', word: modeWords.safe },
  { id: 'agentic', word: modeWords.agentic },
  { id: 'unrestricted', word: modeWords.unrestricted },
] as const;

const approvals = [
  { id: 'open', word: 'it may do the same' },
  { id: 'guarded', word: 'it asks you first' },
  { id: 'read-only', word: 'it only reads' },
] as const;

/** What is asked of who starts an agent, of the machines that are there; `read-spawn-form.ts` reads them. */
export function SpawnFields({ machines }: { readonly machines: readonly [Node, ...Node[]] }) {
  const [nodeId, setNodeId] = useState('');
  const [provider, setProvider] = useState('');
  const [mode, setMode] = useState<string>('agentic');
  const [cwd, setCwd] = useState('');
  const chosen = machines.find((machine) => machine.nodeId === nodeId);
  const offers = providersOf(chosen ? [chosen] : machines);
  const offer = offers.find(({ id }) => id === provider) ?? offers.find(({ available }) => available);
  return (
    <>
      <div className="grid grid-cols-2 gap-2 sm:gap-3">
        <Labelled text="Name">
          <input name="name" required className={field} placeholder="Lead" />
        </Labelled>
        <Labelled text="Machine">
          <Choices
            name="node"
            className={field}
            value={nodeId}
            onChange={({ target }) => setNodeId(target.value)}
            choices={[
              { id: '', word: machines.length === 1 ? machines[0].name : 'whichever can' },
              ...(machines.length === 1 ? [] : machines.map((machine) => ({ id: machine.nodeId, word: machine.name }))),
            ]}
          />
        </Labelled>
        <Labelled text="Kind">
          <ProviderChoice offers={offers} value={offer?.id ?? ''} onChoose={setProvider} />
        </Labelled>
        <Labelled text="Model">
          <input name="model" className={field} placeholder="its own default" />
        </Labelled>
      </div>
      <Labelled text="Task">
        <textarea name="task" rows={3} className={field} placeholder="What should it do first?" />
      </Labelled>
      <Labelled text="Folder">
        <input name="cwd" className={field} placeholder="a fresh one" value={cwd} onChange={({ target }) => setCwd(target.value)} />
      </Labelled>
      <div className="grid grid-cols-2 gap-2 sm:gap-3">
        <Labelled text="May">
          <Choices name="mode" value={mode} onChange={({ target }) => setMode(target.value)} className={field} choices={modes} />
        </Labelled>
        <Labelled text="When a message comes">
          <Choices name="approval" defaultValue="open" className={field} choices={approvals} />
        </Labelled>
      </div>
      <label className="flex items-center gap-2 text-xs">
        <input type="checkbox" name="ask" defaultChecked />
        Ask me for what goes beyond its folder, instead of refusing it
      </label>
      <p role="status" className="text-soft text-xs">
        {saysWhatHappens({ offer, machine: chosen ?? machines[0], isAnyMachine: !chosen && machines.length > 1, mode, cwd: cwd.trim() })}
      </p>
    </>
  );
}

interface ProviderChoiceProps {
  readonly offers: readonly ProviderOffer[];
  readonly value: string;
  readonly onChoose: (id: string) => void;
}

/** The kinds of agents that the machine offers now, and those that only miss their program. */
const ProviderChoice = ({ offers, value, onChoose }: ProviderChoiceProps) => (
  <Choices
    name="provider"
    className={field}
    value={value}
    onChange={({ target }) => onChoose(target.value)}
    choices={offers.map(({ id, available, reason }) => ({
      id,
      word: available ? id : `${id} (not installed)`,
      isDisabled: !available,
      hint: reason ?? undefined,
    }))}
  />
);
