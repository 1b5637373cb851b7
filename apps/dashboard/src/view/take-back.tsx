import type { Claim } from 'agent-relay-client';
import { mayTakeBack } from '../live/permissions.ts';
import { type Command, useCommand } from '../live/use-command.ts';
import { useMe } from '../live/use-live.ts';
import { Problem } from './problem.tsx';
import { ReasonButton } from './reason-button.tsx';

export interface TakingBack extends Command<string | null, Claim> {
  /** It counts as taken back: while the relay is told, and until the log tells of it. */
  readonly isExpected: boolean;
}

/** Takes a claim back, with a reason or none. */
export function useTakeBack(claimId: string | null): TakingBack {
  const command = useCommand((relay, reason: string | null) =>
    relay.claims.release({ id: claimId ?? '', ...(reason === null ? {} : { reason }) }),
  );
  return { ...command, isExpected: command.isPending || (command.output !== undefined && command.output.claimId === claimId) };
}

interface TakeBackProps {
  readonly command: TakingBack;
  readonly holder: string;
  /** Who offered the work. */
  readonly from: string;
  /** Which of several such buttons this is. */
  readonly what: string;
}

/** Takes offered work back from who holds it: for who offered it, and the owner. */
export function TakeBack({ command, holder, from, what }: TakeBackProps) {
  if (!mayTakeBack(useMe(), from)) return null;
  return (
    // What was written is there again should the relay not take it.
    <span className={command.isExpected ? 'hidden' : 'contents'}>
      <ReasonButton
        word="Take back"
        label={`Take back ${what} from ${holder}`}
        hint={`${holder} reads it, stops, and the work is open again`}
        keepWord="Leave it"
        isPending={command.isPending}
        onReason={command.run}
      />
      <Problem error={command.error} />
    </span>
  );
}
