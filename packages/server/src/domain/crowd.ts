import { type ActivityWatchers, type Principal, watchingLimits } from 'agent-relay-protocol';
import { agentOf } from './scopes.ts';

/** One stream of somebody who follows an agent. */
export interface Watching {
  readonly by: string;
  readonly since: number;
}

interface Group {
  readonly by: string;
  /** The two that are open for longest: one of them is not that of whoever asks. */
  readonly oldest: Watching[];
  streams: number;
}

/** All who follow one agent, by their names, the oldest first. */
export type Crowd = ReadonlyMap<string, Group>;

/** Whether somebody is told who else follows: people and their programs are. An agent learns from nobody's looking. */
export const seesCrowd = (principal: Principal): boolean =>
  agentOf(principal) === null && principal.type !== 'node' && principal.type !== 'share';

/** `streams` in the order in which they were opened. */
export function crowdOf(streams: Iterable<Watching>): Crowd {
  const groups = new Map<string, Group>();
  for (const stream of streams) {
    const group = groups.get(stream.by) ?? { by: stream.by, oldest: [], streams: 0 };
    if (group.oldest.length < 2) group.oldest.push(stream);
    group.streams += 1;
    groups.set(stream.by, group);
  }
  return groups;
}

/** All but that one stream. */
export function besides(own: Watching, crowd: Crowd): ActivityWatchers {
  const watchers: ActivityWatchers['watchers'] = [];
  const isAlone = crowd.get(own.by)?.streams === 1;
  for (const { by, oldest, streams } of crowd.values()) {
    if (watchers.length === watchingLimits.watchers) break;
    if (by === own.by && isAlone) continue;
    const since = oldest.find((stream) => stream !== own)?.since ?? own.since;
    watchers.push({ by, since, streams: by === own.by ? streams - 1 : streams });
  }
  return { watchers, more: crowd.size - Number(isAlone) - watchers.length };
}
