import { z } from 'zod';
import { type HookTrigger, HookTriggerSchema } from './hook.ts';
import { hookCommandFault } from './hook-command.ts';
import { exampleFields, placeholderNames } from './hook-fields.ts';
import { machineTriggers, relayTriggers } from './hook-triggers.ts';
import { DeliveryModeSchema } from './message.ts';
import { nearest } from './nearest.ts';
import { isRunner } from './plain-command.ts';
import { plainIssue } from './plain-issue.ts';
import { AddressSchema, AgentIdSchema, LabelSchema, lineOf } from './primitives.ts';
import { isPlainFolder } from './standing-yes.ts';

/** Whom the relay's own hooks stand under, in the place of a provider. */
export const RELAY_HOOKS = 'relay';

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const DurationSchema = (longestMs: number) =>
  z
    .string()
    .regex(/^\d{1,6}(?:ms|s|m|h)$/u, 'must be a time such as 500ms, 30s or 5m')
    .transform((text) => {
      const [, count = '0', unit = 's'] = /^(\d+)(ms|s|m|h)$/u.exec(text) ?? [];
      return Number(count) * units[unit as keyof typeof units]; // the pattern above lets only these through
    })
    .pipe(
      z
        .number()
        .min(1, 'must be longer than nothing')
        .max(longestMs, `must be at most ${longestMs / 60_000} minutes`),
    );

const TextSchema = z.string().min(1).max(8_000);
const name = LabelSchema.optional();
const argument = z
  .string()
  .max(8_000)
  .refine((text) => !text.includes('\0'), 'must not hold the character NUL');

const kinds = {
  command: z.strictObject({
    name,
    command: z.union([argument.min(1), z.array(argument).min(1).max(200)], { error: 'must be a line for the shell, or a list of words' }),
    cwd: lineOf(4096).optional(),
    timeout: DurationSchema(3_600_000).default(60_000),
    concurrency: z.int().min(1).max(16).default(1),
    debounce: DurationSchema(600_000).optional(),
    feedback: z.boolean().default(false),
  }),
  relay: z.strictObject({
    name,
    relay: AddressSchema,
    body: TextSchema.optional(),
    mode: DeliveryModeSchema.optional(),
    debounce: DurationSchema(600_000).optional(),
  }),
  webhook: z.strictObject({
    name,
    webhook: z
      .url({ protocol: /^https?$/u, error: 'must be an http or https address' })
      .max(2_000)
      .regex(/^[^/]*\/\/[^/?#@]*(?:[/?#]|$)/u, 'must have no user name'),
    secret: z.string().regex(/^\S{8,512}$/u, 'must be 8 to 512 characters without spaces'),
    debounce: DurationSchema(600_000).optional(),
  }),
  notify: z.strictObject({ name, notify: TextSchema, debounce: DurationSchema(600_000).optional() }),
  approve: z.strictObject({
    name,
    approve: z
      .strictObject({
        command: z.array(lineOf(500)).min(1).max(20).optional(),
        edit: z.literal(true).optional(),
        folder: lineOf(4096).refine(isPlainFolder, 'must be absolute, without . and ..'),
      })
      .refine(({ command: [program = ''] = [] }) => !isRunner(program) && !program.includes('='), {
        path: ['command'],
        error: 'begins with a program that runs whatever follows it: begin with the program itself',
      })
      .refine(
        ({ command, edit }) => (command === undefined) !== (edit === undefined),
        'say either command, as a list of words, or edit: true',
      ),
  }),
} as const;
type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as readonly Kind[]; // the keys of the object above

export type HookAction = { readonly [K in Kind]: { readonly type: K } & z.output<(typeof kinds)[K]> }[Kind];

/** An action is told by which of the words it has; what else it says is checked by that word's own rules. */
const ActionSchema = z.unknown().transform((value, context): HookAction => {
  const has = typeof value === 'object' && value !== null ? kindNames.filter((kind) => kind in value) : [];
  const [kind, another] = has;
  if (kind === undefined || another !== undefined) {
    context.addIssue({
      code: 'custom',
      message: `must have one of ${kindNames.join(', ')}${another === undefined ? '' : `, not ${kind} and ${another}`}`,
    });
    return z.NEVER;
  }
  const parsed = kinds[kind].safeParse(value, { error: plainIssue });
  // The type follows from the word: each schema above is the one of its own kind.
  if (parsed.success) return { type: kind, ...parsed.data } as HookAction;
  for (const { path, message, ...issue } of parsed.error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    for (const key of keys)
      context.addIssue({
        code: 'custom',
        path: [...path, key],
        message: `is no word of a ${kind} hook${meant(key, Object.keys(kinds[kind].shape))}`,
      });
    if (keys.length === 0) context.addIssue({ code: 'custom', path, message });
  }
  return z.NEVER;
});

/** One hook of the file, ready to run. */
export interface ConfiguredHook {
  readonly name: string;
  /** `*`, a provider, `agent:<id>` or `relay`. */
  readonly agents: string;
  readonly trigger: HookTrigger;
  readonly action: HookAction;
}

const WHOM = /^(?:\*|relay|[a-z][a-z0-9._-]{0,63})$/u;
const isWhom = (key: string): boolean => WHOM.test(key) || (key.startsWith('agent:') && AgentIdSchema.safeParse(key.slice(6)).success);

const sectionOf = (whom: string) => {
  const known: readonly string[] = whom === RELAY_HOOKS ? relayTriggers : machineTriggers;
  return z
    .record(z.string(), z.array(ActionSchema, { error: 'must be a list of hooks, each after a dash' }))
    .superRefine((section, context) => {
      for (const [key, actions] of Object.entries(section)) {
        const trigger = key.startsWith('on_') ? key.slice(3) : '';
        if (!known.includes(trigger)) {
          const where = HookTriggerSchema.safeParse(trigger).success
            ? whom === RELAY_HOOKS
              ? ' that the relay knows of'
              : ', except under relay'
            : '';
          context.addIssue({
            code: 'custom',
            path: [key],
            message: `is nothing that happens${where}${meant(
              key,
              known.map((each) => `on_${each}`),
            )}`,
          });
        }
        for (const [index, action] of actions.entries()) {
          for (const { key: word, message } of faultsOf(action, whom, trigger))
            context.addIssue({ code: 'custom', path: [key, index, word], message });
        }
      }
    });
};

function faultsOf(action: HookAction, whom: string, trigger: string): readonly { readonly key: string; readonly message: string }[] {
  const fault = faultOf(action, whom, trigger);
  const isDebounced = whom === RELAY_HOOKS && 'debounce' in action && action.debounce !== undefined;
  return [
    ...(fault === null ? [] : [{ key: action.type, message: fault }]),
    ...(isDebounced ? [{ key: 'debounce', message: 'is for hooks of machines: the relay itself does each at once' }] : []),
  ];
}

function faultOf(action: HookAction, whom: string, trigger: string): string | null {
  if (whom === RELAY_HOOKS && action.type !== 'relay' && action.type !== 'webhook')
    return 'the relay itself sends messages and webhooks only: say this under * or a provider, and the machine of the agent does it';
  if (action.type === 'approve' && trigger !== 'approval_needed') return 'answers what an agent asks: say it under on_approval_needed';
  if (action.type === 'command' && action.feedback && !['file_change', 'command_executed', 'turn_complete'].includes(trigger))
    return 'feedback is for on_file_change, on_command_executed and on_turn_complete';
  const known = HookTriggerSchema.safeParse(trigger);
  if (!known.success) return null;
  return placeholderFault(action, known.data) ?? (action.type === 'command' ? hookCommandFault(action.command, known.data) : null);
}

/** A placeholder of no field stays as it is written: in mail and on a desktop it is a slip, and in a line for the shell it may be a variable of its own. */
function placeholderFault(action: HookAction, trigger: HookTrigger): string | null {
  const fields = Object.keys(exampleFields(trigger));
  const unknown = placeholderNames(textsOf(action).join('\n')).filter((name) => !fields.includes(name));
  const isShells = action.type === 'command' && typeof action.command === 'string';
  const slip = unknown.find((name) => !isShells || nearest(name, fields) !== null);
  return slip === undefined ? null : `\${${slip}} is nothing that on_${trigger} says${meant(slip, fields)}`;
}

function textsOf(action: HookAction): readonly string[] {
  switch (action.type) {
    case 'command':
      return typeof action.command === 'string' ? [action.command] : action.command;
    case 'relay':
      return [action.body ?? ''];
    case 'notify':
      return [action.notify];
    case 'webhook':
    case 'approve':
      return [];
  }
}

/** What is wrong with an action as one of the relay's own, by the words of the action. */
export const relayHookFaults = (trigger: string, action: unknown): readonly { readonly path: PropertyKey[]; readonly message: string }[] =>
  (sectionOf(RELAY_HOOKS).safeParse({ [`on_${trigger}`]: [action] }, { error: plainIssue }).error?.issues ?? []).map(
    ({ path, message }) => ({
      path: path.slice(2),
      message,
    }),
  );

/** Providers that a machine does not have, and that are near one it has: such a section would be followed for nobody. */
const misspeltProviders = (hooks: readonly ConfiguredHook[], providers: readonly string[]) =>
  [...new Set(hooks.map(({ agents }) => agents))].flatMap((agents) => {
    if (agents === '*' || agents === RELAY_HOOKS || agents.startsWith('agent:') || providers.includes(agents)) return [];
    const near = nearest(agents, providers);
    return near === null ? [] : [{ agents, message: `this machine has no such kind of agent; ${near} is meant, perhaps` }];
  });

/** The file `agent-relay.yaml`: `hooks`, then whose they are, then what sets them off, then what is done, in this order. */
export const HooksFileSchema = z
  .strictObject({ hooks: z.record(z.string(), z.unknown()).nullable().default({}) })
  .transform(({ hooks }, context): readonly ConfiguredHook[] => {
    const configured: ConfiguredHook[] = [];
    for (const [whom, section] of Object.entries(hooks ?? {})) {
      if (!isWhom(whom)) context.addIssue({ code: 'custom', path: ['hooks', whom], message: 'must be a provider, *, agent:<id> or relay' });
      const parsed = sectionOf(whom).safeParse(section ?? {}, { error: plainIssue });
      for (const { path, message } of parsed.error?.issues ?? [])
        context.addIssue({ code: 'custom', path: ['hooks', whom, ...path], message });
      for (const [key, actions] of Object.entries(parsed.data ?? {})) {
        const trigger = key.slice(3) as HookTrigger; // looked up above
        for (const [index, action] of actions.entries())
          configured.push({ name: action.name ?? `${whom}.${key}[${index}]`, agents: whom, trigger, action });
      }
    }
    const names = new Set<string>();
    for (const { name } of configured) {
      if (names.has(name)) context.addIssue({ code: 'custom', path: ['hooks'], message: `two hooks are called ${name}` });
      names.add(name);
    }
    if (configured.length > 1000) context.addIssue({ code: 'custom', path: ['hooks'], message: 'at most 1000 hooks' });
    return configured;
  });

/** The file as a machine with these kinds of agents follows it. */
export const hooksFileSchemaFor = (providers: readonly string[]) =>
  HooksFileSchema.superRefine((hooks, context) => {
    for (const { agents, message } of misspeltProviders(hooks, providers))
      context.addIssue({ code: 'custom', path: ['hooks', agents], message });
  });

/** What an action does, in a line for people; a webhook's secret and query are left out. */
export function describeHookAction(action: HookAction): string {
  switch (action.type) {
    case 'command':
      return (typeof action.command === 'string' ? action.command : action.command.join(' ')).slice(0, 1000);
    case 'relay':
      return action.relay;
    case 'webhook':
      return action.webhook.replace(/[?#].*$/su, '').slice(0, 1000);
    case 'notify':
      return action.notify.slice(0, 1000);
    case 'approve':
      return `${action.approve.command?.join(' ') ?? 'edits'} in ${action.approve.folder}`.slice(0, 1000);
  }
}

function meant(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === null ? `; there are ${known.join(', ')}` : `; ${near} is meant, perhaps`;
}
