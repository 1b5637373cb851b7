import type { MessageDetail } from 'agent-relay-client';
import type { OpenPair, Pair } from 'agent-relay-protocol';
import { isOwner } from '../../live/permissions.ts';
import { useList } from '../../live/use-list.ts';
import { useLive, useMe } from '../../live/use-live.ts';
import { threadView } from '../../relay/messages.ts';
import { isOpenPair, pairView } from '../../relay/pairs.ts';
import { AgentLink } from '../agent-link.tsx';
import { Ago } from '../ago.tsx';
import { DetailPane } from '../detail-pane.tsx';
import { MessageLog } from '../message-log.tsx';
import { Problem } from '../problem.tsx';
import { ReceiptList } from '../receipt-list.tsx';
import { HangUp } from './hang-up.tsx';
import { PairMark } from './pair-looks.tsx';

/** One pair: who, what for, and what they say as they say it. `known` is the pair as the list has it; older ones are asked for. */
export function PairDetail({ id, known }: { readonly id: number; readonly known: Pair | null }) {
  const fetched = useLive(known === null ? pairView(id) : null);
  const pair = known ?? fetched.data;
  if (!pair) {
    return (
      <DetailPane label={`Pair ${id}`} title={`Pair ${id}`} back="/pairs">
        <div className="p-4">{fetched.error ? <Problem error={fetched.error} /> : <p className="text-soft">Reading…</p>}</div>
      </DetailPane>
    );
  }
  return (
    <DetailPane
      label={`Pair ${id}`}
      title={
        <>
          <AgentLink id={pair.requester} className="" /> ⇄ <AgentLink id={pair.target} className="" />
        </>
      }
      back="/pairs"
      subtitle={<PairFacts pair={pair} />}
      actions={isOpenPair(pair) ? <Actions pair={pair} /> : null}
    >
      <PairChat pair={pair} />
    </DetailPane>
  );
}

function Actions({ pair }: { readonly pair: OpenPair }) {
  // Either side does it by itself.
  return isOwner(useMe()) ? <HangUp id={pair.id} /> : null;
}

function PairFacts({ pair }: { readonly pair: Pair }) {
  return (
    <div className="grid gap-0.5">
      <p className="[overflow-wrap:anywhere]">{pair.objective}</p>
      <p className="text-soft text-xs">
        <PairMark pair={pair} /> · invited <Ago at={pair.requestedAt} />
        {'acceptedAt' in pair && pair.acceptedAt !== null ? (
          <>
            {' '}
            · talking since <Ago at={pair.acceptedAt} />
          </>
        ) : null}
        {'endedAt' in pair ? (
          <>
            {' '}
            · over <Ago at={pair.endedAt} />
          </>
        ) : null}
      </p>
    </div>
  );
}

function PairChat({ pair }: { readonly pair: Pair }) {
  // The invitation and the relay's notices are told above; here is what the two say.
  const said = useList(threadView(pair.id), (all) =>
    all.filter(({ id, from }) => id !== pair.id && (from === pair.requester || from === pair.target)),
  );
  return (
    <MessageLog
      label={`Chat of ${pair.requester} and ${pair.target}`}
      list={said}
      row={(message) => <Said message={message} isRequester={message.from === pair.requester} />}
      refused="This token may not read messages."
      empty={pair.status === 'pending' ? `${pair.target} has not answered yet.` : 'Nothing was said yet.'}
      emptyPlace=""
    />
  );
}

function Said({ message, isRequester }: { readonly message: MessageDetail; readonly isRequester: boolean }) {
  return (
    <article className={`flex px-4 py-1.5 ${isRequester ? '' : 'justify-end'}`} data-message-id={message.id}>
      <div className={`max-w-[85%] rounded-xl border border-line px-3 py-2 ${isRequester ? 'bg-ground' : 'bg-raised'}`}>
        <p className="flex items-baseline gap-2 text-xs">
          <span className="font-semibold">{message.from}</span>
          <span className="text-soft">
            <Ago at={message.createdAt} />
          </span>
        </p>
        <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">
          {message.deletedAt === null ? message.body : <i className="text-soft">deleted</i>}
        </p>
        <div className="flex flex-wrap gap-x-2 text-xs">
          <ReceiptList message={message} />
        </div>
      </div>
    </article>
  );
}
