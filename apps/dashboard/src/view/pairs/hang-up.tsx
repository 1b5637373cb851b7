import { useCommand } from '../../live/use-command.ts';
import { Problem } from '../problem.tsx';
import { ReasonButton } from '../reason-button.tsx';

/** Ends an open pair as the owner; both sides are told why. */
export function HangUp({ id }: { readonly id: number }) {
  const hangUp = useCommand((relay, reason: string | null) => relay.pairs.hangup({ id, ...(reason === null ? {} : { reason }) }));
  return (
    <div className="flex flex-wrap items-center gap-2">
      <ReasonButton
        word="Hang up"
        hint="Why? Both are told; may stay empty"
        keepWord="Keep it"
        isPending={hangUp.isPending}
        onReason={hangUp.run}
      />
      <Problem error={hangUp.error} />
    </div>
  );
}
