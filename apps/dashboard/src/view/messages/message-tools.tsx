import type { MessageDetail } from 'agent-relay-client';
import { OWNER_AGENT_ID } from 'agent-relay-protocol';
import { use } from 'react';
import { isOwner } from '../../live/permissions.ts';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall, useMe } from '../../live/use-live.ts';
import { ActButton } from '../act-button.tsx';
import { ConfirmButton } from '../confirm-button.tsx';
import { Problem } from '../problem.tsx';
import { AnsweringContext, DismissingContext } from './answering.ts';
import type { MessageActs } from './use-message-acts.ts';

const look = 'rounded px-1.5 py-0.5 text-soft hover:bg-raised hover:text-ink';

/** What a person may do with a message. */
export function MessageTools({ message, claim, remove }: MessageActs & { readonly message: MessageDetail }) {
  const answer = use(AnsweringContext);
  const maySend = useMayCall('messages/send');
  const me = useMe();
  const isDeleted = message.deletedAt !== null;
  return (
    <>
      {answer !== null && maySend && message.from !== 'relay' ? (
        <ActButton className={look} aria-label={`Answer message ${message.id}`} onClick={() => answer(message)}>
          Answer
        </ActButton>
      ) : null}
      {use(DismissingContext) && isOwner(me) ? <Dismiss id={message.id} /> : null}
      {isOwner(me) && isFree(message) && !claim.isPending ? <Claim id={message.id} claim={claim} /> : null}
      {isOwner(me) && !isDeleted ? <Delete id={message.id} remove={remove} /> : null}
    </>
  );
}

/** Work that a person may take: it is offered to the person, and nobody has it. */
const isFree = ({ to, claimable, claim, deletedAt }: MessageDetail): boolean =>
  to === `id:${OWNER_AGENT_ID}` &&
  claimable &&
  deletedAt === null &&
  (claim === null || claim.status === 'released' || claim.status === 'expired');

/** A person does it: no agent is offered it meanwhile. */
function Claim({ id, claim }: Pick<MessageActs, 'claim'> & Pick<MessageDetail, 'id'>) {
  return (
    <>
      <ActButton className={look} isBusy={claim.isPending} aria-label={`Claim message ${id}`} onClick={() => claim.run()}>
        Claim
      </ActButton>
      <Problem error={claim.error} />
    </>
  );
}

/** Somebody knows that it did not arrive, and leaves it so. */
function Dismiss({ id }: Pick<MessageDetail, 'id'>) {
  const dismiss = useCommand((relay) => relay.messages.dismiss({ id }));
  return (
    <>
      <ActButton
        className={look}
        isBusy={dismiss.isPending}
        aria-label={`Dismiss message ${id}`}
        title="It did not arrive, and you leave it so"
        onClick={() => dismiss.run()}
      >
        Dismiss
      </ActButton>
      <Problem error={dismiss.error} />
    </>
  );
}

function Delete({ id, remove }: Pick<MessageActs, 'remove'> & Pick<MessageDetail, 'id'>) {
  return (
    <ConfirmButton
      look={look}
      word="Delete"
      label={`Delete message ${id}`}
      confirmWord={`Delete the words of message ${id}`}
      command={remove}
    />
  );
}
