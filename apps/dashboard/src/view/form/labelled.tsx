import type { ReactNode } from 'react';

interface LabelledProps {
  readonly text: string;
  /** How it stands among its neighbours. */
  readonly place?: string;
  readonly children: ReactNode;
}

/** A field under its name; it stays in its column, however wide a browser would have it. */
export const Labelled = ({ text, place = '', children }: LabelledProps) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
  <label className={`grid min-w-0 grid-cols-[minmax(0,1fr)] gap-1 text-soft text-xs ${place}`}>
    {text}
    {children}
  </label>
);
