import type { Hook, RecentHookResult, RouteOutput } from 'agent-relay-protocol';
import { withRecentRun } from 'agent-relay-protocol';
import type { View } from '../live/view.ts';

export type HookList = RouteOutput<'hooks/describe'>;
export type HookSource = HookList['sources'][number];

/** What machines and the relay do by themselves. The log tells of the relay's own runs; for those of machines it is asked again. */
export const hooksView: View<HookList> = {
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

export const hooksOf = ({ hooks }: HookList, nodeId: string | null): readonly Hook[] => hooks.filter((hook) => hook.nodeId === nodeId);

/** How a hook went the last time that is remembered. */
export const lastRunOf = ({ recent }: Pick<HookSource, 'recent'>, name: string): RecentHookResult | undefined =>
  recent.findLast(({ hook }) => hook === name);

/** A run, and where it happened. */
export interface RememberedRun extends RecentHookResult {
  readonly key: string;
  readonly place: string;
}

/** Every run that is remembered, newest first. */
export const runsOf = ({ sources }: HookList): readonly RememberedRun[] =>
  sources
    .flatMap(({ nodeId, name, recent }) =>
      recent.map((run, index) => ({ ...run, place: name, key: `${nodeId}/${run.at}/${run.hook}/${index}` })),
    )
    .sort((one, other) => other.at - one.at);
