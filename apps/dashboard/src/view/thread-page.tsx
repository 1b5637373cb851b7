import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useList } from '../live/use-list.ts';
import { useLive } from '../live/use-live.ts';
import { messageView, threadView } from '../relay/messages.ts';
import { Composer } from './composer.tsx';
import { MessageLog } from './message-log.tsx';
import { type AnsweredMessage, AnsweringContext } from './messages/answering.ts';
import { Problem } from './problem.tsx';

/** One message in its thread, as the thread goes on. */
export function ThreadPage({ messageId }: { readonly messageId: number }) {
  const { data, error, readAgain } = useLive(messageView(messageId));
  const [answering, setAnswering] = useState<AnsweredMessage | null>(null);
  const threadId = data?.threadId;
  return (
    <main className="flex min-h-0 flex-col">
      <header className="border-line border-b">
        <div className="measure flex items-center gap-3 px-4 py-2.5">
          <h2 className="font-semibold">{threadId === undefined ? `Message ${messageId}` : `Thread ${threadId}`}</h2>
          <span className="grow" />
          <Link to="/messages" className="text-accent text-xs hover:underline">
            All messages
          </Link>
        </div>
      </header>
      <div className="measure px-4 py-3 empty:hidden">
        <Problem error={error} onRetry={readAgain} />
      </div>
      <AnsweringContext value={setAnswering}>
        {threadId === undefined ? null : <Thread threadId={threadId} focusId={messageId} />}
      </AnsweringContext>
      {data === undefined ? null : <Composer agentId={null} answering={answering ?? data} onAnswered={() => setAnswering(null)} />}
    </main>
  );
}

function Thread({ threadId, focusId }: { readonly threadId: number; readonly focusId: number }) {
  return (
    <MessageLog
      label={`Thread ${threadId}`}
      list={useList(threadView(threadId))}
      refused="This token may not read messages."
      empty={null}
      focusId={focusId}
    />
  );
}
