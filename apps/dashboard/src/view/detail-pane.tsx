import { Link, useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from 'react';

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
  const heading = useRef<HTMLHeadingElement>(null);
  const navigate = useNavigate();
  useEffect(() => {
    // Where it was opened from, if that is still there when it closes.
    const opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    heading.current?.focus({ preventScroll: true });
    return () => opener?.focus({ preventScroll: true });
  }, []);
  const closeOnEscape = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    void navigate({ to: back, search: (before: object) => before });
  };
  return (
    <aside aria-label={label} onKeyDown={closeOnEscape} className="flex min-h-0 min-w-0 flex-col border-line bg-panel lg:border-l">
      <header className="grid gap-1.5 border-line border-b px-4 py-3">
        <div className="flex items-start gap-2">
          <h2 ref={heading} tabIndex={-1} className="min-w-0 grow font-semibold outline-none [overflow-wrap:anywhere]">
            {title}
          </h2>
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
    <section className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-1.5">
      <h3 className="font-medium text-soft text-xs uppercase tracking-wide">{title}</h3>
      {children}
    </section>
  );
}

/** Names and what they are; an absent value leaves its line out. */
export function FactList({ facts }: { readonly facts: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[fit-content(40%)_minmax(0,1fr)] gap-x-4 gap-y-1">
      {facts.map(([name, value]) =>
        value === null ? null : (
          <div key={name} className="contents">
            <dt className="text-soft [overflow-wrap:anywhere]">{name}</dt>
            <dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
