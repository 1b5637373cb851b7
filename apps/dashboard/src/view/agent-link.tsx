import { Link } from '@tanstack/react-router';
import { use } from 'react';
import { LeadsNowhere } from './leads-nowhere.ts';

export function AgentLink({ id, className = 'text-accent' }: { readonly id: string; readonly className?: string }) {
  if (use(LeadsNowhere)) return <span className="font-semibold">{id}</span>;
  return (
    <Link to="/agents/$agentId" params={{ agentId: id }} className={`${className} hover:underline`}>
      {id}
    </Link>
  );
}
