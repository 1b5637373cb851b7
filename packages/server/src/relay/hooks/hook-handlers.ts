import type { RelayHandlers } from '../contract/relay-contract.ts';
import type { RelayHooks } from './relay-hooks.ts';

type HookHandlers = Pick<RelayHandlers, 'hooks/describe' | 'hooks/test'>;

/** The relay's own hooks beside those of its machines. */
export const hookHandlers = (own: Pick<RelayHooks, 'describe' | 'has' | 'test'>, machines: HookHandlers): HookHandlers => ({
  'hooks/describe': async (input, context) => {
    const [ours, theirs] = [own.describe(), await machines['hooks/describe'](input, context)];
    return { hooks: [...ours.hooks, ...theirs.hooks], sources: [...ours.sources, ...theirs.sources] };
  },
  'hooks/test': (input, context) =>
    input.node === undefined && own.has(input.name) ? own.test(input.name, input.fields ?? {}) : machines['hooks/test'](input, context),
});
