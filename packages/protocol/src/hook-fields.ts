import { parseAddress } from './address.ts';
import type { HookTrigger } from './hook.ts';
import type { DeliveryMode } from './message.ts';

/** What an occurrence says, by the names that placeholders have. */
export type HookFields = Readonly<Record<string, string>>;

/** Longer values are cut: a system takes no longer ones in an environment. */
const MAX_VALUE_LENGTH = 8_000;

/** Whose it is; every occurrence has them. */
const everyOnes = { agent: 'Worker', provider: 'codex', session: 'example', cwd: '/work' };

const taskThat = (status: string): HookFields => ({ task: '7', title: 'Fix the build', status, source: 'ci' });

/** What each trigger says besides, with an example of it. */
const examples: Readonly<Record<HookTrigger, HookFields>> = {
  spawned: { model: 'gpt-5' },
  released: { reason: 'closed' },
  turn_started: { turn: 'turn-1' },
  turn_complete: { turn: 'turn-1', outcome: 'finished', text: 'Done.' },
  turn_failed: { turn: 'turn-1', code: 'rate_limited', error: 'The vendor has no room' },
  item_started: { tool: 'Bash', kind: 'execute', title: 'npm test' },
  file_change: { file: '/work/src/a.ts', change: 'updated', movedTo: '' },
  command_executed: { tool: 'Bash', command: 'npm test', outcome: 'succeeded', exitCode: '0', output: 'ok' },
  approval_needed: { approval: 'a1b2c3', kind: 'execute', title: 'npm publish' },
  input_needed: { approval: 'a1b2c3', kind: 'other', title: 'Which database?' },
  message_received: { message: '42', from: 'Lead', kind: 'chat', text: 'Please look' },
  stalled: { detail: 'The turn has made no progress for 60 seconds' },
  quota_warning: { detail: 'Nine tenths of the week are used', usedPercent: '90' },
  context_warning: { usedTokens: '180000', contextWindow: '200000' },
  task_created: { ...taskThat('open'), agent: 'relay' },
  task_claimed: taskThat('claimed'),
  task_completed: taskThat('done'),
  task_failed: taskThat('failed'),
  task_canceled: taskThat('canceled'),
};

/** What a hook is tried with where nobody says otherwise. */
export const exampleFields = (trigger: HookTrigger): HookFields => ({ ...everyOnes, ...examples[trigger] });

/** All that a trigger can say, empty where an occurrence does not: a placeholder never stays as it is written. */
export function fieldsOf(trigger: HookTrigger, said: Readonly<Record<string, string | number | undefined>>): HookFields {
  const names = Object.keys({ ...everyOnes, ...examples[trigger] });
  return Object.fromEntries(names.map((name) => [name, asPath(name, safe(String(said[name] ?? '')))]));
}

/** What names a file or a folder. */
export const hookPathFields: readonly string[] = ['file', 'movedTo', 'cwd'];

/** A path is never an option of the program that gets it. */
const asPath = (name: string, value: string): string => (hookPathFields.includes(name) && value.startsWith('-') ? `./${value}` : value);

const safe = (value: string): string => value.replaceAll('\0', '').slice(0, MAX_VALUE_LENGTH);

const placeholder = /\$\{([a-zA-Z][a-zA-Z0-9]*)\}/gu;

/** The names of all placeholders of a text. */
export const placeholderNames = (template: string): readonly string[] => [...template.matchAll(placeholder)].map(([, name = '']) => name);

/** The names of those fields that a text has a place for. */
export const placeholdersIn = (template: string, fields: readonly string[]): readonly string[] =>
  [...template.matchAll(placeholder)].flatMap(([, name = '']) => (fields.includes(name) ? [name] : []));

/** A text with the fields in it. What is no field of this trigger stays. */
export const fillText = (template: string, fields: HookFields): string =>
  template.replace(placeholder, (whole, name: string) => (Object.hasOwn(fields, name) ? (fields[name] ?? whole) : whole));

/** What a hook's mail or post says where its configuration does not: whose event it was, and what it says. */
export function describeOccurrence(trigger: string, fields: HookFields): string {
  const { agent = '', provider = '', session: _session, cwd: _cwd, ...rest } = fields;
  const lines = Object.entries(rest).flatMap(([name, value]) => (value === '' ? [] : [`${name}: ${value.slice(0, 2_000)}`]));
  return [`${agent}${provider === '' ? '' : ` (${provider})`}: ${trigger.replaceAll('_', ' ')}`, ...lines].join('\n');
}

/** Mail for many begins no turns: it is read with the next one. */
export function hookMailMode(address: string): DeliveryMode {
  const type = parseAddress(address)?.type;
  return type === 'id' || type === 'bare' || type === 'label' ? 'next' : 'fyi';
}
