import { useList } from '../live/use-list.ts';
import { agentsView } from '../relay/agents.ts';
import { addressesIn } from '../relay/reach.ts';

/** What a field for an address may offer: every agent, every group that has somebody, and everybody. */
export function AddressOptions({ id }: { readonly id: string }) {
  const agents = useList(agentsView).all;
  return (
    <datalist id={id}>
      {addressesIn(agents).map((address) => (
        <option key={address} value={address} />
      ))}
    </datalist>
  );
}
