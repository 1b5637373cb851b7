import { Link } from '@tanstack/react-router';
import type { Callback } from 'agent-relay-protocol';
import { useCommand } from '../../live/use-command.ts';
import { useMayCall } from '../../live/use-live.ts';
import { redeliver } from '../../relay/callbacks.ts';
import { ActButton } from '../act-button.tsx';
import { Ago } from '../ago.tsx';
import { known, plainLook } from '../known.ts';
import { Problem } from '../problem.tsx';

const looks = {
  pending: { mark: '◔', tone: 'text-warn', word: 'waiting' },
  delivered: { mark: '✔', tone: 'text-good', word: 'delivered' },
  dead: { mark: '✕', tone: 'text-bad', word: 'gave up' },
} as const;

/** One callback: how it stands, what the other side said last, and the means to send it again. */
export function CallbackRow({ callback, isOfTask = false }: { readonly callback: Callback; readonly isOfTask?: boolean }) {
  const again = useCommand(redeliver);
  const mayWrite = useMayCall('callbacks/redeliver');
  const { mark, tone, word } = known(looks, callback.status, plainLook);
  return (
    <article data-callback-id={callback.id} data-callback-status={callback.status} className="flex items-start gap-3 px-4 py-2">
      <div className="grid min-w-0 grow gap-0.5">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className={`whitespace-nowrap ${tone}`}>
            {mark} {word}
          </span>
          <span className="font-medium">{callback.event}</span>
          {isOfTask ? null : (
            <>
              <span className="text-soft">to {callback.integration}</span>
              <Link to="/tasks/$taskId" params={{ taskId: String(callback.taskId) }} className="text-accent hover:underline">
                task {callback.taskId}
              </Link>
            </>
          )}
        </p>
        <p className="text-soft text-xs">
          {callback.attempts === 1 ? '1 attempt' : `${callback.attempts} attempts`}
          {callback.attempts === 0 ? null : (
            <>
              , last <Ago at={callback.updatedAt} />
            </>
          )}
          <NextAttempt callback={callback} />
        </p>
        {callback.lastError === null ? null : (
          <p className={`[overflow-wrap:anywhere] text-xs ${callback.status === 'dead' ? 'text-bad' : 'text-warn'}`}>
            {callback.lastError}
          </p>
        )}
        <Problem error={again.error} />
      </div>
      {mayWrite && (callback.status === 'dead' || callback.lastError !== null) ? (
        <ActButton className="button shrink-0 px-2 py-0.5 text-xs" isBusy={again.isPending} onClick={() => again.run([callback.id])}>
          {callback.status === 'dead' ? 'Redeliver' : 'Try now'}
        </ActButton>
      ) : null}
    </article>
  );
}

function NextAttempt({ callback: { status, nextAttemptAt } }: { readonly callback: Callback }) {
  if (status !== 'pending') return null;
  if (nextAttemptAt === null) return ' · waits for an earlier one of its task';
  return (
    <>
      {' · next '}
      <Ago at={nextAttemptAt} every={1_000} />
    </>
  );
}
