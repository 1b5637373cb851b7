import { useAgents } from '../relay/use-relay.ts';

/** What a field for an address may offer: every agent, and everybody. */
export function AddressOptions({ id }: { readonly id: string }) {
  const { data: agents = [] } = useAgents();
  return (
    <datalist id={id}>
      {agents.map((agent) => (
        <option key={agent.id} value={agent.id} />
      ))}
      <option value="broadcast" />
    </datalist>
  );
}
