import { scopes } from 'agent-relay-protocol';
import { Choices } from '../form/choices.tsx';
import { Labelled } from '../form/labelled.tsx';
import { type TokenKindChoice, tokenKinds } from './read-token-form.ts';

const field = 'field px-2 text-ink text-xs sm:text-sm';

const lives = [
  { id: '', word: 'until it is revoked' },
  { id: '1', word: 'a day' },
  { id: '30', word: '30 days' },
  { id: '365', word: 'a year' },
] as const;

interface TokenFieldsProps {
  readonly kind: TokenKindChoice;
  readonly onKind: (kind: TokenKindChoice) => void;
}

/** What is asked of who makes a token of this kind; `read-token-form.ts` reads them. */
export const TokenFields = ({ kind, onKind }: TokenFieldsProps) => (
  <>
    <div className="grid grid-cols-[minmax(0,3fr)_minmax(0,5fr)] gap-2 sm:gap-3">
      <Labelled text="Name">
        <input name="name" required maxLength={128} className={field} placeholder="ci" />
      </Labelled>
      <Labelled text="For">
        <Choices
          aria-label="For"
          className={field}
          value={kind}
          onChange={({ target: { value } }) => onKind(tokenKinds.find(({ id }) => id === value)?.id ?? 'scoped')}
          choices={tokenKinds}
        />
      </Labelled>
    </div>
    {kind === 'agent' || kind === 'channel' ? (
      <Labelled text={`Acts as the ${kind}`}>
        <input name="agentId" required className={field} placeholder={kind === 'agent' ? 'Worker' : 'telegram'} />
      </Labelled>
    ) : null}
    {kind === 'scoped' ? <ScopeFields /> : null}
    {kind === 'observer' ? null : (
      <Labelled text="Only to these addresses">
        <input name="targets" className={field} placeholder="every one; or tag:backend, id:Worker" />
      </Labelled>
    )}
    <Labelled text="Good for">
      <Choices name="days" className={field} choices={lives} />
    </Labelled>
  </>
);

const ScopeFields = () => (
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
);
