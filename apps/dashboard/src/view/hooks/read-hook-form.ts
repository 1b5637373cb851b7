import { type Hook, relayTriggers, type SetHook } from 'agent-relay-protocol';
import type { Fields } from '../form/read-fields.ts';

/** Reads the form of a hook of the relay's own; `hook` is the one that it changes. */
export function readHookForm(fields: Fields, hook: Pick<Hook, 'name'> | null): SetHook {
  return {
    ...(hook === null ? {} : { replaces: hook.name }),
    ...fields.optional('name'),
    trigger: fields.oneOf('trigger', relayTriggers),
    ...(fields.oneOf('action', ['relay', 'webhook']) === 'webhook' ? postOf(fields) : mailOf(fields)),
  };
}

const postOf = (fields: Fields): Pick<SetHook, 'webhook' | 'secret'> => ({ ...fields.optional('webhook'), ...fields.optional('secret') });

function mailOf(fields: Fields): Pick<SetHook, 'relay' | 'body' | 'mode'> {
  const mode = fields.oneOf('mode', ['', 'next', 'now', 'urgent', 'fyi']);
  return { relay: fields.text('to'), ...fields.optional('body'), ...(mode === '' ? {} : { mode }) };
}
