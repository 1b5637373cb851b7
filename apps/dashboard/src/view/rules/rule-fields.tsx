import { AddressOptions } from '../address-options.tsx';
import { Choices } from '../form/choices.tsx';
import { Labelled } from '../form/labelled.tsx';
import { ruleKinds } from './read-rule-form.ts';

const field = 'field w-full min-w-0 text-ink text-sm';

const lives = [
  { id: '', word: 'until it is revoked' },
  { id: '1', word: 'a day' },
  { id: '7', word: 'a week' },
  { id: '30', word: '30 days' },
] as const;

interface RuleFieldsProps {
  /** Of the question that it is made from; null where there is none, and everything is to be said. */
  readonly asked: { readonly kind: string; readonly command: string; readonly folder: string } | null;
}

/** What a rule allows, whom, and how long; `read-rule-form.ts` reads them. */
export const RuleFields = ({ asked }: RuleFieldsProps) => (
  <>
    {asked === null ? (
      <div className="grid gap-3 sm:grid-cols-2">
        <Labelled text="Whose questions">
          <input name="whose" required list="whose" className={field} placeholder="Worker, tag:build" />
        </Labelled>
        <AddressOptions id="whose" />
        <Labelled text="To">
          <Choices name="kind" aria-label="To" className={field} choices={ruleKinds} />
        </Labelled>
      </div>
    ) : null}
    {asked?.kind === 'edit' ? null : (
      <Labelled text="Commands that begin with">
        <input
          name="command"
          maxLength={2000}
          className={`${field} font-mono`}
          placeholder="npm test"
          defaultValue={asked?.command ?? ''}
        />
      </Labelled>
    )}
    <Labelled text="In this folder and below">
      <input
        name="folder"
        required={asked === null}
        maxLength={4096}
        className={`${field} font-mono`}
        placeholder="/srv/app"
        defaultValue={asked?.folder ?? ''}
      />
    </Labelled>
    <div className="grid grid-cols-[4fr_3fr] gap-3">
      <Labelled text="Holds">
        <Choices name="days" aria-label="Holds" className={field} choices={lives} />
      </Labelled>
      <Labelled text="At most so often">
        <input name="maxUses" type="number" min={1} max={100_000} className={field} placeholder="any number" />
      </Labelled>
    </div>
    <Labelled text="Called">
      <input name="name" maxLength={128} className={field} placeholder="what it allows" />
    </Labelled>
  </>
);
