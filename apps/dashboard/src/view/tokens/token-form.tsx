import { scopes } from 'agent-relay-protocol';
import { Dialog } from 'radix-ui';
import { type FormEvent, useState } from 'react';
import type { useCreateToken } from '../../relay/use-tokens.ts';
import { Problem } from '../problem.tsx';
import { readTokenForm, type TokenKindChoice, tokenKinds } from './read-token-form.ts';

const lives = [
  { days: '', word: 'until it is revoked' },
  { days: '1', word: 'a day' },
  { days: '30', word: '30 days' },
  { days: '365', word: 'a year' },
] as const;

export function TokenForm({ create }: { readonly create: ReturnType<typeof useCreateToken> }) {
  const [kind, setKind] = useState<TokenKindChoice>('scoped');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    create.mutate(readTokenForm(kind, new FormData(event.currentTarget)));
  };
  return (
    <form onSubmit={submit} className="grid gap-3">
      <div className="grid grid-cols-2 gap-3">
        <Labelled text="Name">
          <input name="name" required maxLength={128} className="field text-ink text-sm" placeholder="ci" />
        </Labelled>
        <Labelled text="For">
          <select
            aria-label="For"
            className="field text-ink text-sm"
            value={kind}
            onChange={({ target: { value } }) => setKind(tokenKinds.find(({ id }) => id === value)?.id ?? 'scoped')}
          >
            {tokenKinds.map(({ id, word }) => (
              <option key={id} value={id}>
                {word}
              </option>
            ))}
          </select>
        </Labelled>
      </div>
      {kind === 'agent' || kind === 'channel' ? (
        <Labelled text={`Acts as the ${kind}`}>
          <input name="agentId" required className="field text-ink text-sm" placeholder={kind === 'agent' ? 'Worker' : 'telegram'} />
        </Labelled>
      ) : null}
      {kind === 'scoped' ? (
        <fieldset className="grid gap-1">
          <legend className="text-soft text-xs">May</legend>
          <div className="grid max-h-44 grid-cols-2 gap-x-3 overflow-y-auto rounded-lg border border-line p-2 font-mono text-xs">
            {scopes.map((scope) => (
              <label key={scope} className="flex items-center gap-1.5">
                <input type="checkbox" name="scope" value={scope} />
                {scope === '*' ? '* (everything)' : scope}
              </label>
            ))}
          </div>
        </fieldset>
      ) : null}
      {kind === 'observer' ? null : (
        <Labelled text="Only to these addresses">
          <input name="targets" className="field text-ink text-sm" placeholder="every one; or tag:backend, id:Worker" />
        </Labelled>
      )}
      <Labelled text="Good for">
        <select name="days" className="field text-ink text-sm">
          {lives.map(({ days, word }) => (
            <option key={days} value={days}>
              {word}
            </option>
          ))}
        </select>
      </Labelled>
      <Problem error={create.error} />
      <div className="flex justify-end gap-2">
        <Dialog.Close className="button">Cancel</Dialog.Close>
        <button type="submit" className="button button-main" disabled={create.isPending}>
          {create.isPending ? 'Making…' : 'Make it'}
        </button>
      </div>
    </form>
  );
}

const Labelled = ({ text, children }: { readonly text: string; readonly children: React.ReactNode }) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
  <label className="grid gap-1 text-soft text-xs">
    {text}
    {children}
  </label>
);
