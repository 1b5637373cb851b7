import { Link } from '@tanstack/react-router';
import { useMessage, useThread } from '../relay/use-pairs.ts';
import { MessageLog } from './message-log.tsx';
import { Problem } from './problem.tsx';

/** One message in its thread, as the thread goes on. */
export function ThreadPage({ messageId }: { readonly messageId: number }) {
  const message = useMessage(messageId);
  const threadId = message.data?.threadId;
  return (
    <main className="flex min-h-0 flex-col">
      <header className="flex items-center gap-3 border-line border-b px-4 py-2.5">
        <h2 className="font-semibold">{threadId === undefined ? `Message ${messageId}` : `Thread ${threadId}`}</h2>
        <span className="grow" />
        <Link to="/" className="text-accent text-xs hover:underline">
          All messages
        </Link>
      </header>
      <div className="px-4 empty:hidden">
        <Problem error={message.error} onRetry={() => void message.refetch()} />
      </div>
      {threadId === undefined ? null : <Thread threadId={threadId} focusId={messageId} />}
    </main>
  );
}

function Thread({ threadId, focusId }: { readonly threadId: number; readonly focusId: number }) {
  const { data = [], error, refetch } = useThread(threadId);
  return (
    <MessageLog
      label={`Thread ${threadId}`}
      messages={data}
      focusId={focusId}
      empty={<Problem error={error} onRetry={() => void refetch()} />}
    />
  );
}
