import type { Approval, Claim, DeliveryState, Pair, TaskStatus } from 'agent-relay-protocol';

/** What an agent of a run does beside saying something. */
export type PlayedAct =
  | ('report' | 'claim' | 'progress' | 'release' | 'end' | 'ask' | 'answer')
  | ('invite' | 'accept' | 'decline' | 'hang_up' | 'reserve' | 'give_back' | 'allow' | 'revoke');

/** Where a replay came to another outcome than the run; ids are those of the run. */
export type Difference =
  | { readonly type: 'refused'; readonly messageId: number; readonly code: string; readonly reason: string }
  /** Null where the run, or its replay, had no such recipient. */
  | {
      readonly type: 'receipt';
      readonly messageId: number;
      readonly agentId: string;
      readonly recorded: DeliveryState | null;
      readonly replayed: DeliveryState | null;
    }
  /** `subject`: the number of the task, message or pair, what the agent called its question, the files, or the name of a rule, whose agent may be `tag:x`. */
  | {
      readonly type: 'act_refused';
      readonly act: PlayedAct;
      readonly agentId: string;
      readonly subject: string;
      readonly code: string;
      readonly reason: string;
    }
  | { readonly type: 'pair'; readonly pairId: number; readonly recorded: Pair['status']; readonly replayed: Pair['status'] }
  | {
      readonly type: 'reservation';
      readonly reservationId: number;
      readonly agentId: string;
      readonly recorded: 'held' | 'over';
      readonly replayed: 'held' | 'over';
    }
  | { readonly type: 'task'; readonly taskId: number; readonly recorded: TaskStatus; readonly replayed: TaskStatus | null }
  /** `released` stands for every claim that ended without a result. */
  | { readonly type: 'claim'; readonly messageId: number; readonly recorded: Claim['status']; readonly replayed: Claim['status'] | null }
  | {
      readonly type: 'approval';
      readonly approvalId: string;
      readonly agentId: string;
      readonly recorded: Approval['status'];
      readonly replayed: Approval['status'] | null;
    };
