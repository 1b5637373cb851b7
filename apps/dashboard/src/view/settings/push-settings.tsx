import type { PushTopic, PushSubscription as Told } from 'agent-relay-protocol';
import { useState } from 'react';
import { useCommand } from '../../live/use-command.ts';
import { useIsLive } from '../../live/use-connection.ts';
import { useLive, useMayCall } from '../../live/use-live.ts';
import { devicesView } from '../../relay/push.ts';
import { Ago } from '../ago.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { known } from '../known.ts';
import { readPushChoice } from '../notices/push-choice.ts';
import { forgetDevice, pushFault, subscribeDevice, unsubscribeDevice } from '../notices/push-device.ts';
import { Problem } from '../problem.tsx';

const words: Readonly<Record<PushTopic, string>> = {
  approvals: 'what agents ask',
  stalls: 'that an agent has stalled',
  mail: 'what is written to you',
};
// One for each topic, which are all there are.
const topics = Object.keys(words) as PushTopic[];

/** Whether this device is told while its page is closed, of what, and which other ones are. */
export function PushSettings() {
  const mayBeTold = useMayCall('push/subscribe');
  const isLive = useIsLive();
  const devices = useLive(devicesView);
  const [chosen, setChosen] = useState(() => readPushChoice()?.topics ?? []);
  const show = () => {
    setChosen(readPushChoice()?.topics ?? []);
    devices.readAgain();
  };
  const [wanted, setWanted] = useState(chosen);
  const change = useCommand(
    (relay, next: readonly PushTopic[]) => (next.length === 0 ? unsubscribeDevice(relay) : subscribeDevice(relay, next)),
    show,
  );
  const choose = (next: readonly PushTopic[]) => {
    setWanted(next);
    change.run(next);
  };
  if (!mayBeTold) return null;
  const fault = pushFault();
  // What was asked for counts while the browser and the relay are told.
  const shown = change.isPending ? wanted : chosen;
  const isOff = shown.length === 0;
  const isStuck = change.isPending || !isLive;
  return (
    <fieldset className="grid gap-2">
      <legend className="sr-only">While the page is closed</legend>
      <label className="flex items-center gap-2">
        <input
          type="checkbox"
          checked={!isOff}
          disabled={isStuck || (isOff && fault !== null)}
          onChange={() => choose(isOff ? topics : [])}
        />
        Notify this device, also while the page is closed
      </label>
      {fault !== null && isOff ? <p className="text-soft text-xs">{fault}</p> : null}
      {isOff ? null : <Topics shown={shown} isStuck={isStuck} onChoose={choose} />}
      <p role="status" className="text-soft text-xs empty:hidden">
        {change.isPending ? saysPending(chosen, wanted) : null}
      </p>
      {change.error === null ? null : (
        <div className="text-xs">
          <Problem error={change.error} onRetry={() => choose(wanted)} />
          <p className="text-soft">Nothing was changed.</p>
        </div>
      )}
      <Problem error={devices.error} onRetry={devices.readAgain} />
      <Devices devices={devices.data ?? []} onRemoved={show} />
    </fieldset>
  );
}

interface TopicsProps {
  readonly shown: readonly PushTopic[];
  readonly isStuck: boolean;
  readonly onChoose: (next: readonly PushTopic[]) => void;
}

const Topics = ({ shown, isStuck, onChoose }: TopicsProps) => (
  <div className="grid gap-1 pl-6">
    {topics.map((topic) => (
      <label key={topic} className="flex items-center gap-2">
        <input
          type="checkbox"
          checked={shown.includes(topic)}
          disabled={isStuck}
          onChange={({ target }) => onChoose(topics.filter((each) => (each === topic ? target.checked : shown.includes(each))))}
        />
        <span className="inline-block first-letter:uppercase">{words[topic]}</span>
      </label>
    ))}
  </div>
);

/** A browser asks its person, and its push service, which may take a while. */
function saysPending(chosen: readonly PushTopic[], wanted: readonly PushTopic[]): string {
  if (wanted.length === 0) return 'Turning it off…';
  return chosen.length === 0 ? 'Asking this browser, and its push service…' : 'Changing what it is told of…';
}

function Devices({ devices, onRemoved }: { readonly devices: readonly Told[]; readonly onRemoved: () => void }) {
  if (devices.length === 0) return null;
  return (
    <ul aria-label="Devices that are notified" className="grid gap-1 text-soft text-xs">
      {devices.map((device) => (
        <Device key={device.id} device={device} onRemoved={onRemoved} />
      ))}
    </ul>
  );
}

function Device({ device, onRemoved }: { readonly device: Told; readonly onRemoved: () => void }) {
  const { id, label, service, createdAt, createdBy } = device;
  const isThis = readPushChoice()?.id === id;
  const name = label ?? service;
  const remove = useCommand(async (relay) => {
    await relay.push.unsubscribe({ id });
    if (isThis) await forgetDevice();
  }, onRemoved);
  return (
    <li className="flex flex-wrap items-center gap-2">
      <span className="grow">
        {name}
        {isThis ? ' (this device)' : ''}, by {createdBy}, <Ago at={createdAt} />:{' '}
        {device.topics.map((topic) => known(words, topic, (word) => word)).join(', ')}
      </span>
      <ConfirmButton word="Remove" label={`Notify ${name} no more`} confirmWord="Notify it no more" command={remove} />
    </li>
  );
}
