import type { ApprovalAnswer } from 'agent-relay-protocol';
import { readFields } from '../form/read-fields.ts';
import { EDITED } from './approval-form.tsx';
import { type AskedField, ownWordsName } from './approval-words.ts';

/** What a person filled in, beside the option they press. @throws SyntaxError when the other input is no JSON. */
export function readAnswerForm(data: FormData, form: readonly AskedField[]): Pick<ApprovalAnswer, 'answers' | 'updatedInput'> {
  const fields = readFields(data);
  const answers = form.map(({ id, allowsSeveral }): [string, string[]] => {
    const own = fields.text(ownWordsName(id));
    const chosen = fields.all(id);
    // Their own words say more than a choice that still stands.
    return [id, own === '' ? [...chosen] : allowsSeveral ? [...chosen, own] : [own]];
  });
  const edited = fields.text(EDITED);
  return {
    ...(form.length === 0 ? {} : { answers: Object.fromEntries(answers.filter(([, said]) => said.length > 0)) }),
    ...(edited === '' ? {} : { updatedInput: JSON.parse(edited) }),
  };
}
