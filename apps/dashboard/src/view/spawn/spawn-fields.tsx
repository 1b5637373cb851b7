import type { Node } from 'agent-relay-client';
import { useState } from 'react';
import { useNow } from '../../live/use-connection.ts';
import { useList } from '../../live/use-list.ts';
import { runningView } from '../../relay/sessions.ts';
import { daysUpTo, usageView } from '../../relay/usage.ts';
import { Choices } from '../form/choices.tsx';
import { Labelled } from '../form/labelled.tsx';
import { allowedOf, approvalModeWords, modelsOf, modeWords, type ProviderOffer, providersOf, saysWhatHappens } from './spawn-words.ts';

const field = 'field w-full min-w-0 px-2 text-xs sm:text-sm';

// What a person most often wants first.
const modes = ['agentic', 'safe', 'unrestricted'] as const;
const approvals = ['open', 'guarded', 'read-only'] as const;

/** What is asked of who starts an agent, of the machines that are there; `read-spawn-form.ts` reads them. */
export function SpawnFields({ machines }: { readonly machines: readonly [Node, ...Node[]] }) {
  const [nodeId, setNodeId] = useState('');
  const [provider, setProvider] = useState('');
  const [wished, setMode] = useState('');
  const [isInSandbox, setInSandbox] = useState(false);
  const [cwd, setCwd] = useState('');
  const chosen = machines.find((machine) => machine.nodeId === nodeId);
  const offers = providersOf(chosen ? [chosen] : machines);
  const offer = offers.find(({ id }) => id === provider) ?? offers.find(({ available }) => available);
  const machine = chosen ?? machines[0];
  const isAnyMachine = !chosen && machines.length > 1;
  const terms = isAnyMachine ? undefined : machine.terms;
  const mayBe = allowedOf(modes, offer?.abilities?.modes, terms?.modes);
  const mode = mayBe.find((one) => one === wished) ?? mayBe[0] ?? 'agentic';
  const hasSandbox = (offer?.abilities?.sandbox.length ?? 0) > 0;
  return (
    <>
      <div className="grid grid-cols-2 gap-2 sm:gap-3">
        <Labelled text="Name">
          <input name="name" required className={field} placeholder="Lead" />
        </Labelled>
        <Labelled text="Machine">
          <MachineChoice machines={machines} value={nodeId} onChoose={setNodeId} />
        </Labelled>
        <Labelled text="Kind">
          <ProviderChoice offers={offers} value={offer?.id ?? ''} onChoose={setProvider} />
        </Labelled>
        <ModelField provider={offer?.id} />
      </div>
      <Labelled text="Task">
        <textarea name="task" rows={3} className={field} placeholder="What should it do first?" />
      </Labelled>
      <FolderField value={cwd} onType={setCwd} nodeId={isAnyMachine ? null : machine.nodeId} />
      <div className="grid grid-cols-2 gap-2 sm:gap-3">
        <Labelled text="May">
          <Choices
            name="mode"
            value={mode}
            onChange={({ target }) => setMode(target.value)}
            className={field}
            choices={modes.map((id) => ({ id, word: modeWords[id], isDisabled: !mayBe.includes(id) }))}
          />
        </Labelled>
        <Labelled text="When a message comes">
          <ApprovalChoice terms={terms} />
        </Labelled>
      </div>
      <label className="flex items-center gap-2 text-xs">
        <input type="checkbox" name="ask" defaultChecked />
        Ask me for what goes beyond its folder, instead of refusing it
      </label>
      {hasSandbox ? <SandboxChoice isInSandbox={isInSandbox} onChoose={setInSandbox} /> : null}
      <p role="status" className="text-soft text-xs">
        {saysWhatHappens({ offer, machine, isAnyMachine, mode, cwd: cwd.trim(), isInSandbox: hasSandbox && isInSandbox })}
      </p>
    </>
  );
}

const ModelField = ({ provider }: { readonly provider: string | undefined }) => (
  <Labelled text="Model">
    <input name="model" className={field} placeholder="its own default" list="models" />
    <Models provider={provider} />
  </Labelled>
);

interface FolderFieldProps {
  readonly value: string;
  readonly onType: (cwd: string) => void;
  /** Null where any machine may be the one. */
  readonly nodeId: string | null;
}

const FolderField = ({ value, onType, nodeId }: FolderFieldProps) => (
  <Labelled text="Folder">
    <input
      name="cwd"
      className={field}
      placeholder="a fresh one"
      list="folders"
      value={value}
      onChange={({ target }) => onType(target.value)}
    />
    <Folders nodeId={nodeId} />
  </Labelled>
);

interface MachineChoiceProps {
  readonly machines: readonly [Node, ...Node[]];
  readonly value: string;
  readonly onChoose: (nodeId: string) => void;
}

const MachineChoice = ({ machines, value, onChoose }: MachineChoiceProps) => (
  <Choices
    name="node"
    className={field}
    value={value}
    onChange={({ target }) => onChoose(target.value)}
    choices={[
      { id: '', word: machines.length === 1 ? machines[0].name : 'whichever can' },
      ...(machines.length === 1 ? [] : machines.map((machine) => ({ id: machine.nodeId, word: machine.name }))),
    ]}
  />
);

const ApprovalChoice = ({ terms }: { readonly terms: Node['terms'] | undefined }) => (
  <Choices
    name="approval"
    // Another machine may allow other ones.
    key={terms?.approvals?.join()}
    className={field}
    choices={allowedOf(approvals, terms?.approvals).map((id) => ({ id, word: approvalModeWords[id] }))}
  />
);

const SandboxChoice = ({ isInSandbox, onChoose }: { readonly isInSandbox: boolean; readonly onChoose: (isInSandbox: boolean) => void }) => (
  <label className="flex items-center gap-2 text-xs">
    <input type="checkbox" name="sandbox" value="os" checked={isInSandbox} onChange={({ target }) => onChoose(target.checked)} />
    Keep it in a sandbox: its processes write in its folder alone
  </label>
);

/** Models of the last weeks that are remembered. */
const MODEL_DAYS = 30;

function Models({ provider }: { readonly provider: string | undefined }) {
  const [since = ''] = daysUpTo(useNow(60_000), MODEL_DAYS);
  const running = useList(runningView).all.map(({ provider, model }) => ({ provider, model, turns: 0 }));
  const models = modelsOf(provider, [...useList(usageView({ since })).all, ...running]);
  return (
    <datalist id="models">
      {models.map((model) => (
        <option key={model} value={model} />
      ))}
    </datalist>
  );
}

/** Folders in which agents work there now. */
function Folders({ nodeId }: { readonly nodeId: string | null }) {
  const running = useList(runningView).all.filter((session) => nodeId === null || session.nodeId === nodeId);
  const folders = [...new Set(running.flatMap(({ cwd }) => cwd ?? []))];
  return (
    <datalist id="folders">
      {folders.map((folder) => (
        <option key={folder} value={folder} />
      ))}
    </datalist>
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
