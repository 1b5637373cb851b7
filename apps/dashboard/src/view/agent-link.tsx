import { Link } from '@tanstack/react-router';

export const AgentLink = ({ id, className = 'text-accent' }: { readonly id: string; readonly className?: string }) => (
  <Link to="/agents/$agentId" params={{ agentId: id }} className={`${className} hover:underline`}>
    {id}
  </Link>
);
