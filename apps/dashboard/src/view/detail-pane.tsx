import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

interface DetailPaneProps {
  readonly label: string;
  readonly title: ReactNode;
  /** Where closing leads. */
  readonly back: '/tasks' | '/pairs' | '/channels';
  readonly actions?: ReactNode;
  readonly subtitle?: ReactNode;
  readonly children: ReactNode;
}

/** What a row of a list opens. */
export function DetailPane({ label, title, back, actions, subtitle, children }: DetailPaneProps) {
  return (
    <aside aria-label={label} className="flex min-h-0 min-w-0 flex-col border-line bg-panel lg:border-l">
      <header className="grid gap-1.5 border-line border-b px-4 py-3">
        <div className="flex items-start gap-2">
          <h2 className="min-w-0 grow break-words font-semibold">{title}</h2>
          <Link to={back} search aria-label="Close" className="px-1 text-soft hover:text-ink">
            ✕
          </Link>
        </div>
        {subtitle}
        {actions}
      </header>
      {children}
    </aside>
  );
}

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="grid gap-1.5">
      <h3 className="font-medium text-soft text-xs uppercase tracking-wide">{title}</h3>
      {children}
    </section>
  );
}

/** Names and what they are; an absent value leaves its line out. */
export function FactList({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <div key={name} className="contents">
            <dt className="text-soft">{name}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
