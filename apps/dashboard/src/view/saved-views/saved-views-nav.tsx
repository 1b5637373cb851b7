import { useLocation, useRouter } from '@tanstack/react-router';
import { type MouseEvent, useEffect, useState } from 'react';
import { SaveView } from './save-view.tsx';
import { keepViews, keptViews, pathOfView, type SavedView, withView } from './saved-views.ts';

/** The pages that a person has narrowed and named, and the means to name the one in sight. */
export function SavedViews() {
  const current = useLocation({ select: ({ pathname, searchStr }) => pathOfView(pathname, searchStr) });
  const [views, change] = useSavedViews();
  return (
    <>
      {views.map((view) => (
        <ViewLink
          key={view.name}
          view={view}
          isCurrent={view.path === current}
          onRemove={() => change(views.filter((other) => other !== view))}
        />
      ))}
      {current === null || views.some(({ path }) => path === current) ? null : (
        <SaveView onSave={(name) => change(withView(views, { name, path: current }))} />
      )}
    </>
  );
}

/** As this browser keeps them, whichever of its tabs changed them. */
function useSavedViews(): readonly [readonly SavedView[], (next: readonly SavedView[]) => void] {
  const [views, setViews] = useState(keptViews);
  useEffect(() => {
    const read = () => setViews(keptViews());
    window.addEventListener('storage', read);
    return () => window.removeEventListener('storage', read);
  }, []);
  const change = (next: readonly SavedView[]) => {
    keepViews(next);
    setViews(next);
  };
  return [views, change];
}

interface ViewLinkProps {
  readonly view: SavedView;
  readonly isCurrent: boolean;
  readonly onRemove: () => void;
}

function ViewLink({ view: { name, path }, isCurrent, onRemove }: ViewLinkProps) {
  const { history } = useRouter();
  const go = (event: MouseEvent) => {
    // Another tab or window is the browser's to open.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.push(path);
  };
  return (
    <span className={`flex shrink-0 items-center rounded-lg ${isCurrent ? 'bg-raised text-ink' : 'text-soft'}`}>
      <a
        href={path}
        onClick={go}
        aria-current={isCurrent}
        title={`${name}: a view that you saved in this browser`}
        className="max-w-40 truncate px-2 py-1 hover:text-ink"
      >
        <span aria-hidden="true">☆ </span>
        {name}
      </a>
      {isCurrent ? (
        <button
          type="button"
          aria-label={`Remove the view ${name}`}
          title="Remove this view"
          className="py-1 pr-2 hover:text-bad"
          onClick={onRemove}
        >
          ✕
        </button>
      ) : null}
    </span>
  );
}
