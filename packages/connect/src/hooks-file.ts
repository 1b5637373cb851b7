import { type ConfiguredHook, describeHookAction, hooksFileSchemaFor, type NodeHooks, RELAY_HOOKS } from 'agent-relay-protocol';
import type { Log } from 'agent-relay-wire';
import { FollowedYaml } from 'agent-relay-wire/node';

export type HooksFile = FollowedYaml<readonly ConfiguredHook[]>;

/** A fault in it keeps nobody from working: what it said last holds, and the fault is told. */
export function openHooksFile(path: string, log: Log, providers: readonly string[]): HooksFile {
  const file: HooksFile = new FollowedYaml({
    path,
    schema: hooksFileSchemaFor(providers),
    empty: [],
    onFault: (fault) => {
      if (fault === null) log.info('the hooks are followed again', { file: path });
      else log.error('the hooks are not followed as they stand now', { fault });
    },
  });
  // Whoever starts a machine is told at once.
  file.current;
  return file;
}

/** What the owner is shown of them; those of the relay are the relay's. */
export function describeHooks(file: HooksFile | null, recent: NodeHooks['recent']): NodeHooks {
  if (file === null) return { hooks: [], file: null, fault: null, recent };
  const hooks = file.current.filter(({ agents }) => agents !== RELAY_HOOKS);
  const { fault, ...state } = file.state;
  return {
    ...state,
    recent,
    fault: fault?.slice(0, 2000) ?? null,
    hooks: hooks.map(({ name, agents, trigger, action }) => ({
      name,
      agents,
      trigger,
      action: action.type,
      does: describeHookAction(action),
    })),
  };
}
