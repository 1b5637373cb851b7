import { Link } from '@tanstack/react-router';
import { useReservations } from './use-reservations.ts';

/** Which files an agent has for itself, and the way to who has which; nothing where it has none. */
export function AgentReserves({ agentId }: { readonly agentId: string }) {
  const { items } = useReservations(agentId);
  if (items.length === 0) return null;
  const patterns = items.flatMap((each) => each.patterns).join(' ');
  return (
    <p className="flex min-w-0 gap-1.5 text-xs" title={patterns}>
      <Link to="/reservations" search={{ agent: agentId }} className="shrink-0 text-accent hover:underline">
        Has reserved
      </Link>
      <code className="truncate font-mono">{patterns}</code>
    </p>
  );
}
