import { errorText } from './format.ts';

/** An error where it happened; `onRetry` when trying again may help. */
export function Problem({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  if (error === null || error === undefined) return null;
  return (
    <p role="alert" className="flex flex-wrap items-center gap-2 text-bad">
      {errorText(error)}
      {onRetry ? (
        <button type="button" className="button px-2 py-0.5 text-ink text-xs" onClick={onRetry}>
          Try again
        </button>
      ) : null}
    </p>
  );
}
