import type { ApprovalRule } from 'agent-relay-protocol';
import type { ListView } from '../live/view.ts';
import { byId, mergeNewestFirst } from './collect.ts';
import { listUpTo } from './list-up-to.ts';

const ACTIVE_LIMIT = 1_000;
const ENDED_PAGE = 200;

export const isActiveRule = ({ ended }: ApprovalRule): boolean => ended === null;

const mergeRules = mergeNewestFirst<ApprovalRule>({ keyOf: byId, isOver: (rule) => !isActiveRule(rule), order: byId });

/** Every standing rule that holds and the newest of those that no longer do, newest first. */
export const rulesView: ListView<ApprovalRule> = {
  name: 'rules',
  route: 'rules/list',
  read: async (relay) => {
    const ended = await listUpTo(ENDED_PAGE, relay.rules.list, { active: false });
    const active = await listUpTo(ACTIVE_LIMIT, relay.rules.list, { active: true });
    return { data: mergeRules(ended.data, active.data), cursor: ended.cursor };
  },
  apply: (rules, event) => ('rule' in event ? mergeRules(rules, [event.rule]) : rules),
};
