import { pushLimits, RelayError } from 'agent-relay-protocol';
import type { PushSubscriber } from '../../store/push-store.ts';

type Asking = Pick<PushSubscriber, 'holder' | 'createdBy' | 'endpoint' | 'serverKey'>;

/** What goes for a device: what waits there for somebody else, and of its person's what can be told no more, and the oldest where they are too many. @throws RelayError `busy`. */
export function makeRoom(all: readonly PushSubscriber[], asking: Asking): readonly PushSubscriber[] {
  const [same, others] = [
    all.filter(({ endpoint }) => endpoint === asking.endpoint),
    all.filter(({ endpoint }) => endpoint !== asking.endpoint),
  ];
  const own = others.filter(({ holder }) => holder === asking.holder);
  const [good, dead] = [
    own.filter(({ serverKey }) => serverKey === asking.serverKey),
    own.filter(({ serverKey }) => serverKey !== asking.serverKey),
  ];
  const going = [...dead, ...good.slice(0, Math.max(0, good.length - pushLimits.devices + 1))];
  if (others.length - going.length >= pushLimits.devicesOfAll)
    throw new RelayError('busy', `${pushLimits.devicesOfAll} devices are told already: take one out first`);
  return [...same.filter((before) => !isOfPerson(before, asking)), ...going];
}

/** The owner comes with one session after another. */
const isOfPerson = (one: Asking, { holder, createdBy }: Asking): boolean =>
  one.holder === holder || (one.createdBy === 'owner' && createdBy === 'owner');
