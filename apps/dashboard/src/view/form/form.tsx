import type { FormEvent, KeyboardEventHandler, ReactNode } from 'react';
import { type Fields, readFields } from './read-fields.ts';

/** What to do with a form once what it asked for is done. */
export interface FilledForm {
  /** As it was before anybody wrote in it. */
  reset(): void;
  /** Empties one field. */
  clear(name: string): void;
}

interface FormProps {
  readonly className: string;
  readonly onKeyDown?: KeyboardEventHandler<HTMLFormElement>;
  readonly onSubmit: (fields: Fields, form: FilledForm) => void;
  readonly children: ReactNode;
}

/** Fields, and what becomes of them. */
export function Form({ className, onKeyDown, onSubmit, children }: FormProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const clear = (name: string) => {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) field.value = '';
    };
    onSubmit(readFields(new FormData(form)), { reset: () => form.reset(), clear });
  };
  return (
    <form onSubmit={submit} onKeyDown={onKeyDown} className={className}>
      {children}
    </form>
  );
}
