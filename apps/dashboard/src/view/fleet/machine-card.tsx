import type { Node, Session } from 'agent-relay-client';
import { isOwnersNodeId } from 'agent-relay-protocol';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall } from '../../live/use-live.ts';
import { ActButton } from '../act-button.tsx';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { Fold } from '../fold.tsx';
import { Form } from '../form/form.tsx';
import { PresenceDot } from '../presence-dot.tsx';
import { Problem } from '../problem.tsx';
import { saysLoad, saysRunning } from './load-words.ts';
import { saysTerms } from './terms-words.ts';

interface MachineCardProps {
  readonly node: Node;
  /** What runs on it; null until that is known. */
  readonly running: readonly Session[] | null;
}

export function MachineCard({ node, running }: MachineCardProps) {
  return (
    <article className="grid grid-cols-[minmax(0,1fr)] gap-2 border-line border-b px-4 py-3" data-node-id={node.nodeId}>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <PresenceDot status={node.status === 'online' ? 'idle' : 'offline'} />
        <h3 className="min-w-0 truncate font-medium" title={node.nodeId}>
          {node.name}
        </h3>
        <span className="text-soft text-xs">
          {node.status === 'online' ? 'connected' : 'away'}
          {node.status === 'online' ? '' : ', seen '}
          {node.status === 'online' ? null : <Ago at={node.lastSeenAt} />} · version {node.version}
        </span>
        <span className="grow" />
        <MachineTools node={node} running={running?.length ?? 0} />
      </header>
      <Running node={node} running={running} />
      <Load node={node} />
      <Terms node={node} />
      <Providers node={node} />
    </article>
  );
}

/** What runs on it, and of how many that is. */
function Running({ node: { terms }, running }: MachineCardProps) {
  if (running === null) return null;
  const said = saysRunning(running.length, terms?.capacity);
  if (running.length === 0) return <p className="text-soft text-xs">{said}.</p>;
  return (
    <p className="flex flex-wrap gap-x-2 text-xs">
      <span className="text-soft">{said}:</span>
      {running.map(({ sessionId, agentId }) => (
        <AgentLink key={sessionId} id={agentId} />
      ))}
    </p>
  );
}

/** How busy it was when it was last heard of. */
const Load = ({ node: { status, load } }: Pick<MachineCardProps, 'node'>) =>
  status === 'online' && load !== undefined ? <p className="text-soft text-xs">{saysLoad(load)}</p> : null;

/** What the machine's owner says of it. */
function Terms({ node: { terms = {} } }: Pick<MachineCardProps, 'node'>) {
  const said = saysTerms(terms);
  return said.length === 0 ? null : <p className="text-soft text-xs [overflow-wrap:anywhere]">{said.join(' · ')}</p>;
}

function Providers({ node: { providers } }: Pick<MachineCardProps, 'node'>) {
  const missing = providers.filter(({ available }) => !available);
  return (
    <>
      <ProviderList providers={providers.filter(({ available }) => available)} />
      {missing.length === 0 ? null : (
        <Fold
          name="missing"
          className="text-xs"
          summaryLook="cursor-pointer text-soft"
          summary={
            missing.length === 1
              ? 'One more kind of agents, and how to have it here'
              : `${missing.length} more kinds of agents, and how to have them here`
          }
        >
          <ProviderList providers={missing} />
        </Fold>
      )}
    </>
  );
}

const ProviderList = ({ providers }: Pick<Node, 'providers'>) => (
  <ul className="grid gap-1 text-xs">
    {providers.map(({ id, available, version, reason, runtime }) => (
      <li key={id} className="grid grid-cols-[1rem_minmax(0,1fr)]">
        <span className={available ? 'text-good' : 'text-soft'}>{available ? '✔' : '–'}</span>
        <span className="[overflow-wrap:anywhere]">
          <span className="font-medium">{id}</span>{' '}
          <span className="text-soft">
            {available ? [version, runtime].filter(Boolean).join(' · ') : <Quoting text={reason ?? 'not installed'} />}
          </span>
        </span>
      </li>
    ))}
  </ul>
);

/** A sentence whose commands stand between backticks. */
const Quoting = ({ text }: { readonly text: string }) =>
  text.split('`').map((part, at) => (at % 2 === 0 ? part : <code key={`${at} ${part}`}>{part}</code>));

interface MachineToolsProps {
  readonly node: Node;
  readonly running: number;
}

/** Another name for it, and the end of it; the owner's own machines are named and stopped where they run. */
function MachineTools({ node, running }: MachineToolsProps) {
  if (!useMayCall('nodes/rename')) return null;
  const isOwners = isOwnersNodeId(node.nodeId);
  if (isOwners && node.status === 'online') {
    return (
      <span
        className="text-soft text-xs"
        title="It came with the owner’s credential: relay-connect --name names it, and it is there for as long as that runs"
      >
        Named and stopped on the machine itself
      </span>
    );
  }
  return (
    <span className="flex flex-wrap items-center gap-2">
      {isOwners ? null : <Rename node={node} />}
      <Remove node={node} running={running} />
    </span>
  );
}

function Rename({ node: { nodeId, name } }: Pick<MachineToolsProps, 'node'>) {
  const [isRenaming, setRenaming] = useState(false);
  const rename = useCommand(
    (relay, next: string) => relay.nodes.rename({ id: nodeId, name: next }),
    () => setRenaming(false),
  );
  if (isRenaming) {
    return (
      <Form
        className="flex flex-wrap items-center gap-2"
        onSubmit={(fields) => fields.text('name') !== '' && rename.run(fields.text('name'))}
      >
        <input name="name" aria-label={`New name of ${name}`} defaultValue={name} className="field w-40 text-xs" />
        <ActButton type="submit" className="button px-2 py-0.5 text-xs" isBusy={rename.isPending}>
          Rename
        </ActButton>
        <button type="button" className="button px-2 py-0.5 text-xs" onClick={() => setRenaming(false)}>
          Leave it
        </button>
        <Problem error={rename.error} />
      </Form>
    );
  }
  return (
    <button type="button" className="button px-2 py-0.5 text-xs" aria-label={`Rename ${name}`} onClick={() => setRenaming(true)}>
      Rename
    </button>
  );
}

function Remove({ node: { nodeId, name }, running }: MachineToolsProps) {
  const remove = useCommand((relay) => relay.nodes.remove({ id: nodeId }));
  const ends = running === 0 ? '' : running === 1 ? ' and end its agent' : ` and end its ${running} agents`;
  return <ConfirmButton word="Remove" label={`Remove ${name}`} confirmWord={`Let ${name} in no more${ends}`} command={remove} />;
}
