import { Link } from '@tanstack/react-router';
import type { MessageDetail } from 'agent-relay-client';
import { memo } from 'react';
import { Ago } from './ago.tsx';
import { ClaimState } from './claim-state.tsx';
import { Markdown } from './markdown.tsx';
import { MessageTools } from './messages/message-tools.tsx';
import { useMessageActs } from './messages/use-message-acts.ts';
import { ReceiptList } from './receipt-list.tsx';

/** Drawn again when its message is another one, as an activity's block. */
export const MessageLine = memo(function MessageLine({ message: told }: { readonly message: MessageDetail }) {
  const { message, ...acts } = useMessageActs(told);
  const isDeleted = message.deletedAt !== null;
  return (
    <article className="group border-line border-b px-4 py-3" data-message-id={message.id}>
      <header className="flex flex-wrap items-baseline gap-x-2 text-xs">
        <Link to="/agents/$agentId" params={{ agentId: message.from }} className="font-semibold text-sm hover:underline">
          {message.from}
        </Link>
        {message.sender.relation === 'claimed' ? (
          <span className="text-warn" title="The caller named this sender; nothing proves it">
            unproven
          </span>
        ) : null}
        <span className="text-soft">→ {message.to.replace(/^id:/u, '')}</span>
        {message.channel === null ? null : (
          <Link to="/messages" search={{ channel: message.channel }} className="text-accent hover:underline">
            #{message.channel}
          </Link>
        )}
        {message.mode === 'next' ? null : <span className="rounded bg-raised px-1.5 text-soft">{message.mode}</span>}
        <span className="grow" />
        <span className="text-soft">
          {message.replyTo === null ? '' : `answers ${message.replyTo} · `}
          <Link
            to="/messages/$messageId"
            params={{ messageId: String(message.id) }}
            aria-label={`Thread of message ${message.id}`}
            className="hover:text-ink hover:underline"
          >
            {message.id}
          </Link>{' '}
          · <Ago at={message.createdAt} />
        </span>
      </header>
      {message.subject === null ? null : <p className="mt-1 font-medium [overflow-wrap:anywhere]">{message.subject}</p>}
      <div className={`mt-1 ${isDeleted ? 'text-soft italic' : ''}`} data-body>
        {isDeleted ? 'deleted' : <Markdown text={message.body} />}
      </div>
      <footer className="mt-1.5 flex flex-wrap items-center gap-2 text-xs">
        {isDeleted ? null : <ReceiptList message={message} />}
        {message.claimable ? <ClaimState message={message} isClaiming={acts.claim.isPending} /> : null}
        <span className="grow" />
        <MessageTools message={message} {...acts} />
      </footer>
    </article>
  );
});
