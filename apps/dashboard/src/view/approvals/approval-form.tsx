import type { Approval } from 'agent-relay-protocol';
import { useId } from 'react';
import { type AskedField, ownWordsName, visible } from './approval-words.ts';

/** What an agent asks in words: choices to pick, and a field for other ones. */
export function ApprovalFields({ form }: { readonly form: readonly AskedField[] }) {
  return form.map((field) => <Field key={field.id} field={field} />);
}

function Field({ field }: { readonly field: AskedField }) {
  const { id, text, title, choices, allowsText, allowsSeveral, isOptional, isSecret } = field;
  return (
    <fieldset className="grid max-w-4xl gap-1" data-field={id}>
      <legend className="text-sm">
        {title === undefined ? null : <span className="text-soft">{visible(title)}: </span>}
        {visible(text)}
        {isOptional ? <span className="text-soft text-xs"> (may stay empty)</span> : null}
      </legend>
      {choices.map(({ value, label, description }) => (
        <label key={value} className="flex items-baseline gap-2 text-sm">
          <input type={allowsSeveral ? 'checkbox' : 'radio'} name={id} value={value} />
          <span>
            {visible(label)}
            {description === undefined ? null : <span className="text-soft text-xs"> {visible(description)}</span>}
          </span>
        </label>
      ))}
      {allowsText ? (
        <input
          name={ownWordsName(id)}
          type={isSecret ? 'password' : 'text'}
          autoComplete="off"
          maxLength={8000}
          aria-label={choices.length === 0 ? visible(text) : `${visible(text)} In your own words`}
          placeholder={choices.length === 0 ? '' : 'In your own words'}
          className="field min-w-40 text-sm"
        />
      ) : null}
    </fieldset>
  );
}

/** The name of the field that holds another input. */
export const EDITED = 'updatedInput';

/** What shall run instead, as JSON, for those who want to change it. */
export function EditedInput({ input }: { readonly input: Exclude<Approval['input'], undefined> }) {
  const id = useId();
  const text = JSON.stringify(input, null, 2);
  return (
    <div className="grid max-w-4xl gap-0.5">
      <label htmlFor={id} className="text-soft text-xs">
        What shall run instead
      </label>
      <textarea
        id={id}
        name={EDITED}
        defaultValue={text}
        rows={Math.min(12, text.split('\n').length)}
        className="field font-mono text-xs"
      />
    </div>
  );
}
