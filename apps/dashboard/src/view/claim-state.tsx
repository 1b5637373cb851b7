import type { Claim, MessageDetail } from 'agent-relay-client';
import { mayTakeBack } from '../live/permissions.ts';
import { useCommand } from '../live/use-command.ts';
import { useMe } from '../live/use-live.ts';
import { Problem } from './problem.tsx';
import { ReasonButton } from './reason-button.tsx';

/** What became of an offer; whoever offered it may take it back from its holder. */
export function ClaimState({ message }: { readonly message: MessageDetail }) {
  const { claim } = message;
  if (claim === null || claim.status === 'released' || claim.status === 'expired') return <span className="text-warn">open work</span>;
  if (claim.status === 'held') return <Held message={message} claim={claim} />;
  return <span className={claim.status === 'completed' ? 'text-good' : 'text-soft'}>{`${claim.status} by ${claim.agentId}`}</span>;
}

function Held({ message, claim }: { readonly message: MessageDetail; readonly claim: Claim }) {
  const mayTake = mayTakeBack(useMe(), message.from);
  const takeBack = useCommand((relay, reason: string | null) =>
    relay.claims.release({ claimId: claim.claimId, ...(reason === null ? {} : { reason }) }),
  );
  return (
    <>
      <span className="text-accent">claimed by {claim.agentId}</span>
      {mayTake ? (
        <ReasonButton
          word={takeBack.isPending ? 'Taking back…' : 'Take back'}
          label={`Take message ${message.id} back from ${claim.agentId}`}
          hint={`${claim.agentId} reads it, stops, and the work is open again`}
          keepWord="Leave it"
          isPending={takeBack.isPending}
          onReason={takeBack.run}
        />
      ) : null}
      <Problem error={takeBack.error} />
    </>
  );
}
