import { mayTakeBack } from '../live/permissions.ts';
import { useCommand } from '../live/use-command.ts';
import { useMe } from '../live/use-live.ts';
import { Problem } from './problem.tsx';
import { ReasonButton } from './reason-button.tsx';

interface TakeBackProps {
  readonly claimId: string;
  readonly holder: string;
  /** Who offered the work. */
  readonly from: string;
  /** Which of several such buttons this is. */
  readonly what: string;
}

/** Takes offered work back from who holds it: for who offered it, and the owner. */
export function TakeBack({ claimId, holder, from, what }: TakeBackProps) {
  const takeBack = useCommand((relay, reason: string | null) =>
    relay.claims.release({ id: claimId, ...(reason === null ? {} : { reason }) }),
  );
  if (!mayTakeBack(useMe(), from)) return null;
  return (
    <>
      <ReasonButton
        word={takeBack.isPending ? 'Taking back…' : 'Take back'}
        label={`Take back ${what} from ${holder}`}
        hint={`${holder} reads it, stops, and the work is open again`}
        keepWord="Leave it"
        isPending={takeBack.isPending}
        onReason={takeBack.run}
      />
      <Problem error={takeBack.error} />
    </>
  );
}
