import { createContext } from 'react';
import type { ActivityTree } from '../relay/activity-tree.ts';

interface ShownTree extends Pick<ActivityTree, 'childrenOf'> {
  /** Whether what is looked for was done by a sub-agent of this call. */
  readonly isAroundFound: (key: string) => boolean;
}

/** What belongs to the calls of an agent's activity. */
export const TreeContext = createContext<ShownTree>({ childrenOf: () => [], isAroundFound: () => false });
