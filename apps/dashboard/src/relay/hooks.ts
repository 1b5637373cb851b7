import type { Hook, RecentHookResult, RouteOutput } from 'agent-relay-protocol';
import { withRecentRun } from 'agent-relay-protocol';
import type { View } from '../live/view.ts';

export type Hooks = RouteOutput<'hooks/describe'>;
export type HookSource = Hooks['sources'][number];

/** What machines and the relay do by themselves. The log tells of the relay's own runs; for those of machines it is asked again. */
export const hooksView: View<Hooks> = {
  name: 'hooks',
  route: 'hooks/describe',
  read: async (relay) => ({ data: await relay.hooks.describe(), cursor: 0 }),
  apply: (hooks, event) => {
    if (event.type !== 'hook.completed') return hooks;
    const { type: _type, seq: _seq, eventSeq: _eventSeq, ...run } = event;
    return { ...hooks, sources: hooks.sources.map((source) => (source.nodeId === null ? withRun(source, run) : source)) };
  },
};

function withRun(source: HookSource, run: RecentHookResult): HookSource {
  const isKnown = source.recent.some(
    ({ at, hook, agentId, durationMs }) => at === run.at && hook === run.hook && agentId === run.agentId && durationMs === run.durationMs,
  );
  return isKnown ? source : { ...source, recent: [...withRecentRun(source.recent, run)] };
}

export const hooksOf = ({ hooks }: Hooks, nodeId: string | null): readonly Hook[] => hooks.filter((hook) => hook.nodeId === nodeId);

/** How a hook went the last time that is remembered. */
export const lastRunOf = ({ recent }: Pick<HookSource, 'recent'>, name: string): RecentHookResult | undefined =>
  recent.findLast(({ hook }) => hook === name);

/** A run, and where it happened. */
export interface HookRun extends RecentHookResult {
  readonly key: string;
  readonly place: string;
}

/** Every run that is remembered, newest first. */
export const runsOf = ({ sources }: Hooks): readonly HookRun[] =>
  sources
    .flatMap(({ nodeId, name, recent }) =>
      recent.map((run, index) => ({ ...run, place: name, key: `${nodeId}/${run.at}/${run.hook}/${index}` })),
    )
    .sort((one, other) => other.at - one.at);
