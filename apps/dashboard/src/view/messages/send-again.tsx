import { Link } from '@tanstack/react-router';
import type { MessageDetail } from 'agent-relay-client';
import { isOwner } from '../../live/permissions.ts';
import { useCommand } from '../../live/use-command.ts';
import { useMe } from '../../live/use-live.ts';
import { sendAgain } from '../../relay/messages.ts';
import { ActButton } from '../act-button.tsx';
import { Problem } from '../problem.tsx';

interface SendAgainProps {
  readonly message: MessageDetail;
  /** Whom it did not reach. */
  readonly to: readonly string[];
}

/** Mail that failed or expired, once more. */
export function SendAgain({ message, to }: SendAgainProps) {
  const again = useCommand((relay) => sendAgain(relay, message, to));
  if (!isOwner(useMe()) || to.length === 0 || message.from === 'relay') return null;
  const [first] = again.output ?? [];
  if (first !== undefined) {
    return (
      <Link to="/messages/$messageId" params={{ messageId: String(first) }} className="text-accent hover:underline">
        sent again
      </Link>
    );
  }
  return (
    <>
      <ActButton
        className="button px-2 py-0 text-xs"
        aria-label={`Send again message ${message.id}`}
        title={`To ${to.join(', ')}`}
        isBusy={again.isPending}
        onClick={() => again.run()}
      >
        {again.isPending ? 'Sending…' : 'Send again'}
      </ActButton>
      <Problem error={again.error} />
    </>
  );
}
