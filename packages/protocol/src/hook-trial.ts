import { RelayError } from './errors.ts';
import type { HookTrigger } from './hook.ts';
import { exampleFields, type HookFields } from './hook-fields.ts';
import { nearest } from './nearest.ts';

/** @throws RelayError `validation_failed` naming a field that the trigger does not have. */
export function assertFieldsOf(trigger: HookTrigger, said: HookFields): void {
  const known = Object.keys(exampleFields(trigger));
  const unknown = Object.keys(said).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const message = `is nothing that on_${trigger} says; ${near === null ? `there are ${known.join(', ')}` : `${near} is meant, perhaps`}`;
  throw new RelayError('validation_failed', `fields.${unknown}: ${message}`, { issues: [{ path: `fields.${unknown}`, message }] });
}
