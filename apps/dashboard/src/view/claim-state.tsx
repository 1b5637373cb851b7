import type { Claim, MessageDetail } from 'agent-relay-client';
import { TakeBack } from './take-back.tsx';

/** What became of an offer; whoever offered it may take it back from its holder. */
export function ClaimState({ message }: { readonly message: MessageDetail }) {
  const { claim } = message;
  if (claim === null || claim.status === 'released' || claim.status === 'expired') return <span className="text-warn">open work</span>;
  if (claim.status === 'held') return <Held message={message} claim={claim} />;
  return <span className={claim.status === 'completed' ? 'text-good' : 'text-soft'}>{`${claim.status} by ${claim.agentId}`}</span>;
}

const Held = ({ message: { id, from }, claim: { claimId, agentId } }: { readonly message: MessageDetail; readonly claim: Claim }) => (
  <>
    <span className="text-accent">claimed by {agentId}</span>
    <TakeBack claimId={claimId} holder={agentId} from={from} what={`message ${id}`} />
  </>
);
