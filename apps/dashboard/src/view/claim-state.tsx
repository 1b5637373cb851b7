import type { Claim, MessageDetail } from 'agent-relay-client';
import { OWNER_AGENT_ID } from 'agent-relay-protocol';
import { TakeBack, useTakeBack } from './take-back.tsx';

interface ClaimStateProps {
  readonly message: MessageDetail;
  /** A person takes it: that counts while the relay is told. */
  readonly isClaiming: boolean;
}

/** What became of an offer; whoever offered it may take it back from its holder. */
export function ClaimState({ message, isClaiming }: ClaimStateProps) {
  const { claim } = message;
  if (isClaiming) return <span className="text-accent">claimed by {OWNER_AGENT_ID}</span>;
  if (claim === null || claim.status === 'released' || claim.status === 'expired') return openWork;
  if (claim.status === 'held') return <Held key={claim.claimId} message={message} claim={claim} />;
  return <span className={claim.status === 'completed' ? 'text-good' : 'text-soft'}>{`${claim.status} by ${claim.agentId}`}</span>;
}

const openWork = <span className="text-warn">open work</span>;

function Held({ message: { id, from }, claim: { claimId, agentId } }: { readonly message: MessageDetail; readonly claim: Claim }) {
  const takeBack = useTakeBack(claimId);
  return (
    <>
      {takeBack.isExpected ? openWork : <span className="text-accent">claimed by {agentId}</span>}
      <TakeBack command={takeBack} holder={agentId} from={from} what={`message ${id}`} />
    </>
  );
}
