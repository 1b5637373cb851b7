const KEY = 'agent-relay-views';

/** More than these nobody finds again. */
export const VIEWS_LIMIT = 30;
export const VIEW_NAME_LENGTH = 40;

/** A page as it was narrowed, under a name that a person gave it in this browser. */
export interface SavedView {
  readonly name: string;
  /** Its address from the page's own host on. */
  readonly path: string;
}

const pages = /^\/(?:messages|tasks|search|events|agents\/[^/]+)$/u;

/** The address that a narrowed page is kept under, however its parts are ordered and whatever is open beside its list; null where nothing is narrowed. */
export function pathOfView(pathname: string, search: string): string | null {
  const page = pathname.replace(/^(\/tasks)\/\d+$/u, '$1');
  const narrowed = new URLSearchParams(search);
  narrowed.sort();
  return pages.test(page) && narrowed.size > 0 ? `${page}?${narrowed.toString()}` : null;
}

/** With another, which takes the place of one that has its name or its address. */
export const withView = (views: readonly SavedView[], { name, path }: SavedView): readonly SavedView[] =>
  [...views.filter((view) => view.name !== name && view.path !== path), { name, path }].slice(-VIEWS_LIMIT);

/** Reads what this browser keeps; what is no view is passed over. */
export function readViews(text: string | null): readonly SavedView[] {
  const kept = parsed(text ?? '[]');
  return Array.isArray(kept) ? kept.flatMap(viewIn) : [];
}

function viewIn(kept: unknown): readonly SavedView[] {
  const { name, path } = (typeof kept === 'object' && kept !== null ? kept : {}) as Readonly<Record<string, unknown>>; // any object has names
  if (typeof name !== 'string' || typeof path !== 'string' || name === '') return [];
  const { pathname, search, origin } = URL.parse(path, 'https://here') ?? { pathname: '', search: '', origin: '' };
  const known = origin === 'https://here' ? pathOfView(pathname, search) : null;
  return known === null ? [] : [{ name: name.slice(0, VIEW_NAME_LENGTH), path: known }];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const keptViews = (): readonly SavedView[] => readViews(window.localStorage.getItem(KEY));

export const keepViews = (views: readonly SavedView[]): void => window.localStorage.setItem(KEY, JSON.stringify(views));
