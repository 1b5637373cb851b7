import { type FormEvent, useState } from 'react';
import { useHangUp } from '../../relay/use-pairs.ts';
import { Problem } from '../problem.tsx';

/** Ends an open pair as the owner; both sides are told why. */
export function HangUp({ id }: { readonly id: number }) {
  const [isAsking, setAsking] = useState(false);
  const hangUp = useHangUp(id);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    hangUp.mutate(String(new FormData(event.currentTarget).get('reason') ?? '').trim());
  };
  if (!isAsking) {
    return (
      <div>
        <button type="button" className="button px-2 py-0.5 text-xs" onClick={() => setAsking(true)}>
          Hang up
        </button>
      </div>
    );
  }
  return (
    <form onSubmit={submit} className="flex flex-wrap items-center gap-2">
      <input
        name="reason"
        ref={(input) => input?.focus()}
        aria-label="Reason"
        maxLength={1000}
        className="field min-w-0 grow text-sm"
        placeholder="Why? Both are told; may stay empty"
      />
      <button type="submit" className="button button-main px-2 py-1 text-xs" disabled={hangUp.isPending}>
        Hang up
      </button>
      <button type="button" className="button px-2 py-1 text-xs" onClick={() => setAsking(false)}>
        Keep it
      </button>
      <Problem error={hangUp.error} />
    </form>
  );
}
