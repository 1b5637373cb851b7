import { useList } from '../live/use-list.ts';
import { agentsView } from '../relay/agents.ts';

/** What a field for an address may offer: every agent, and everybody. */
export function AddressOptions({ id }: { readonly id: string }) {
  const agents = useList(agentsView).all;
  return (
    <datalist id={id}>
      {agents.map((agent) => (
        <option key={agent.id} value={agent.id} />
      ))}
      <option value="broadcast" />
    </datalist>
  );
}
