import type { Agent } from 'agent-relay-client';
import { known } from './known.ts';

const tones: Readonly<Record<Agent['status'], string>> = {
  busy: 'bg-accent animate-pulse',
  idle: 'bg-good',
  online: 'bg-good',
  offline: 'bg-soft/40',
};

export const PresenceDot = ({ status }: { readonly status: Agent['status'] }) => (
  <span className={`size-2 shrink-0 rounded-full ${known(tones, status, () => 'bg-soft')}`} />
);
