import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type ConfiguredHook,
  describeHookAction,
  type Hook,
  RELAY_HOOKS,
  RelayError,
  type RouteOutput,
  type SetHook,
} from 'agent-relay-protocol';
import type { EditedYaml } from 'agent-relay-wire/node';

/** The relay's part of `agent-relay.yaml`. */
export interface RelayHooksFile {
  readonly current: readonly ConfiguredHook[];
  readonly state: { readonly file: string | null; readonly fault: string | null };
  /** Missing where nobody may write it from here. */
  readonly edit?: (change: (file: EditedYaml) => void, check: (hooks: readonly ConfiguredHook[]) => void) => void;
}

export const ownHooksOf = ({ current }: Pick<RelayHooksFile, 'current'>): readonly ConfiguredHook[] =>
  current.filter(({ agents }) => agents === RELAY_HOOKS);

export function describeOwnHook({ name, agents, trigger, action }: ConfiguredHook): Hook {
  const mail = action.type === 'relay' ? { body: action.body, mode: action.mode } : {};
  const said = Object.entries(mail).filter(([, value]) => value !== undefined);
  return { nodeId: null, name, agents, trigger, action: action.type, does: describeHookAction(action), ...Object.fromEntries(said) };
}

/** Writes a hook of the relay's own into the file. Machines' hooks stand in the same file, and are left as they are. */
export function setOwnHook(file: RelayHooksFile, input: SetHook): RouteOutput<'hooks/set'> {
  const { replaces, trigger, name } = input;
  const edit = editOf(file);
  const own = ownHooksOf(file);
  const old = replaces === undefined ? undefined : find(own, replaces);
  if (own.some((hook) => hook !== old && hook.name === name)) throw invalid('name', `There is a hook called ${name} already`);
  const { action, secret } = actionOf(input, old);
  const index = old?.trigger === trigger ? placeOf(own, old) : own.filter((hook) => hook.trigger === trigger).length;
  edit((yaml) => {
    if (old !== undefined && old.trigger !== trigger) take(yaml, own, old);
    // A heading with nothing below it.
    for (const path of [['hooks'], ['hooks', RELAY_HOOKS]]) if (yaml.getIn(path) === null) yaml.deleteIn(path);
    const list = ['hooks', RELAY_HOOKS, `on_${trigger}`];
    if (yaml.getIn(list) === undefined) yaml.setIn(list, [action]);
    else yaml.setIn([...list, index], action);
  });
  const hook = ownHooksOf(file).filter((each) => each.trigger === trigger)[index];
  if (hook === undefined) throw new RelayError('busy', 'The file was changed by somebody else meanwhile');
  return { hook: describeOwnHook(hook), ...(secret === null ? {} : { secret }) };
}

export function removeOwnHook(file: RelayHooksFile, name: string): void {
  const edit = editOf(file);
  const own = ownHooksOf(file);
  const old = find(own, name);
  edit((yaml) => take(yaml, own, old));
}

function actionOf({ replaces: _replaces, trigger: _trigger, ...said }: SetHook, old: ConfiguredHook | undefined) {
  if (said.webhook === undefined) return { action: said, secret: null };
  const before = old?.action.type === 'webhook' ? old.action : undefined;
  // The list leaves out what follows the path: an address as it stands there is the one that there was.
  const webhook = before !== undefined && said.webhook === describeHookAction(before) ? before.webhook : said.webhook;
  const secret = said.secret ?? before?.secret;
  const made = secret === undefined ? randomBytes(24).toString('base64url') : null;
  return { action: { ...said, webhook, secret: secret ?? made }, secret: made };
}

/** Lists and sections that have become empty go with the last of them. */
function take(yaml: EditedYaml, own: readonly ConfiguredHook[], hook: ConfiguredHook): void {
  const list = ['hooks', RELAY_HOOKS, `on_${hook.trigger}`];
  const left = own.filter((each) => each !== hook);
  if (left.some(({ trigger }) => trigger === hook.trigger)) yaml.deleteIn([...list, placeOf(own, hook)]);
  else yaml.deleteIn(left.length === 0 ? list.slice(0, 2) : list);
}

const placeOf = (own: readonly ConfiguredHook[], hook: ConfiguredHook): number =>
  own.filter(({ trigger }) => trigger === hook.trigger).indexOf(hook);

function find(own: readonly ConfiguredHook[], name: string): ConfiguredHook {
  const found = own.find((hook) => hook.name === name);
  if (found === undefined) throw new RelayError('not_found', `The relay has no hook called ${name}`);
  return found;
}

function editOf(file: RelayHooksFile): (change: (file: EditedYaml) => void) => void {
  const edit = file.edit?.bind(file);
  if (edit === undefined) throw new RelayError('unsupported', 'This relay has no file of hooks');
  const before = machinesHooksOf(file.current);
  return (change) =>
    edit(change, (hooks) => {
      if (isDeepStrictEqual(machinesHooksOf(hooks), before)) return;
      throw new RelayError('unsupported', 'What a machine does stands in the same words: edit the file by hand');
    });
}

const machinesHooksOf = (hooks: readonly ConfiguredHook[]) => hooks.filter(({ agents }) => agents !== RELAY_HOOKS);

const invalid = (path: string, message: string) => new RelayError('validation_failed', message, { issues: [{ path, message }] });
