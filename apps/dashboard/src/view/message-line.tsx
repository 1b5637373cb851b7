import type { MessageDetail } from 'agent-relay-client';
import { ClaimState } from './claim-state.tsx';
import { formatTime } from './format.ts';
import { ReceiptList } from './receipt-list.tsx';

export function MessageLine({ message }: { readonly message: MessageDetail }) {
  const isDeleted = message.deletedAt !== null;
  return (
    <article className="border-line border-b px-4 py-3" data-message-id={message.id}>
      <header className="flex flex-wrap items-baseline gap-x-2 text-xs">
        <span className="font-semibold text-sm">{message.from}</span>
        {message.sender.relation === 'claimed' ? (
          <span className="text-warn" title="The caller named this sender; nothing proves it">
            unproven
          </span>
        ) : null}
        <span className="text-soft">→ {message.to.replace(/^id:/u, '')}</span>
        {message.channel === null ? null : <span className="text-accent">#{message.channel}</span>}
        {message.mode === 'next' ? null : <span className="rounded bg-raised px-1.5 text-soft">{message.mode}</span>}
        <span className="grow" />
        <span className="text-soft" title={new Date(message.createdAt).toLocaleString()}>
          {message.replyTo === null ? '' : `answers ${message.replyTo} · `}
          {message.id} · {formatTime(message.createdAt)}
        </span>
      </header>
      {message.subject === null ? null : <p className="mt-1 font-medium">{message.subject}</p>}
      <p className={`mt-1 max-h-72 overflow-y-auto whitespace-pre-wrap break-words ${isDeleted ? 'text-soft italic' : ''}`}>
        {isDeleted ? 'deleted' : message.body}
      </p>
      <footer className="mt-1.5 flex flex-wrap items-center gap-2 text-xs">
        {isDeleted ? null : <ReceiptList messageId={message.id} />}
        {message.claimable ? <ClaimState message={message} /> : null}
      </footer>
    </article>
  );
}
