import type { RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayHooks } from './relay-hooks.ts';

type MachineHooks = Pick<RelayHandlers, 'hooks/describe' | 'hooks/test'>;
type HookHandlers = MachineHooks & Pick<RelayHandlers, 'hooks/set' | 'hooks/remove'>;

/** The relay's own hooks beside those of its machines. */
export const hookHandlers = (
  own: Pick<RelayHooks, 'describe' | 'has' | 'test' | 'set' | 'remove'>,
  machines: MachineHooks,
): HookHandlers => ({
  'hooks/describe': async (input, context) => {
    const [ours, theirs] = [own.describe(), await machines['hooks/describe'](input, context)];
    return { hooks: [...ours.hooks, ...theirs.hooks], sources: [...ours.sources, ...theirs.sources] };
  },
  'hooks/test': (input, context) =>
    input.node === undefined && own.has(input.name) ? own.test(input.name, input.fields ?? {}) : machines['hooks/test'](input, context),
  'hooks/set': async (input) => own.set(input),
  'hooks/remove': async ({ name }) => {
    own.remove(name);
    return { removed: true };
  },
});
