import type { ReactNode } from 'react';

interface SplitPageProps {
  readonly title: string;
  readonly hint: string;
  /** What narrows or acts on the whole list. */
  readonly tools?: ReactNode;
  readonly list: ReactNode;
  /** What was chosen from the list; beside it where there is room, in its place where there is not. */
  readonly detail: ReactNode | null;
}

/** A list, and what one of its rows opens. */
export function SplitPage({ title, hint, tools, list, detail }: SplitPageProps) {
  return (
    <main
      className={`grid min-h-0 grid-cols-1 grid-rows-1 ${detail === null ? '' : 'lg:grid-cols-[minmax(22rem,1fr)_minmax(28rem,44rem)] 2xl:grid-cols-[minmax(0,72rem)_minmax(44rem,1fr)]'}`}
    >
      <section aria-label={title} className={`@container min-h-0 min-w-0 flex-col ${detail === null ? 'flex' : 'hidden lg:flex'}`}>
        <header className="border-line border-b">
          <div className="measure flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5">
            <h2 className="font-semibold" title={hint}>
              {title}
            </h2>
            {tools}
          </div>
        </header>
        {list}
      </section>
      {detail}
    </main>
  );
}

/** What a page says when there is nothing to show: what would be here, and how it comes to be. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="mx-auto grid max-w-md justify-items-center gap-1 px-6 py-16 text-center text-soft">
      <p className="font-medium text-ink">{title}</p>
      {children}
    </div>
  );
}
