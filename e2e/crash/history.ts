import type { Pair, RelayEvent, ReportedEvent, Task } from 'agent-relay-protocol';

/** A send that was acknowledged: the relay answered with an id. */
export interface AcknowledgedSend {
  readonly key: string;
  readonly id: number;
  readonly body: string;
}

/** A hand-over of mail to its deliverer, and what followed. In order of happening. */
export type InboxStep = { readonly step: 'received' | 'acknowledged'; readonly id: number };

/** A completion that the relay accepted. */
export interface AcceptedCompletion {
  readonly subjectId: number;
  readonly fence: number;
  readonly racer: string;
}

/** What the clients saw of messages, each for itself. Nothing in it comes from the server's own tables. */
export interface Histories {
  readonly sends: readonly AcknowledgedSend[];
  readonly inboxes: ReadonlyMap<string, readonly InboxStep[]>;
  readonly completions: readonly AcceptedCompletion[];
  /** The events each resuming reader was given, in the order it got them, from sequence `from` on. */
  readonly readers: ReadonlyMap<string, { readonly from: number; readonly events: readonly RelayEvent[] }>;
  /** The whole log, read once from its beginning after the last crash. */
  readonly log: readonly RelayEvent[];
}

/** One request that reports something; `answer` is null when the connection was lost, so that nobody knows what became of it. */
export interface Report {
  readonly dedupeKey: string | null;
  readonly status: 'open' | 'resolved';
  readonly answer: ReportedEvent | null;
}

/** A claim on a task, or its ending under one, that the relay accepted. */
export type TaskStep =
  | { readonly step: 'claimed'; readonly taskId: number; readonly agentId: string; readonly fence: number; readonly claimId: string }
  | {
      readonly step: 'ended';
      readonly taskId: number;
      readonly agentId: string;
      readonly fence: number;
      readonly status: 'done' | 'failed';
    };

/** What reporters and the agents that work on tasks saw. */
export interface TaskHistories {
  readonly reports: readonly Report[];
  readonly steps: readonly TaskStep[];
  /** Every task as it was left. */
  readonly left: readonly Task[];
  /** Those of the tasks that are active whose message can be read and is claimable. */
  readonly offered: ReadonlySet<number>;
}

/** A callback that arrived whole, whatever it was answered. In order of arrival. */
export interface Arrival {
  readonly key: string;
  readonly body: string;
  readonly isSigned: boolean;
}

/** `left`: the agent was in the pair and its going offline was acknowledged. */
export type PairStep = { readonly step: 'requested' | 'accepted' | 'ended' | 'left'; readonly pairId: number; readonly agentId: string };

/** Something said in a pair that was acknowledged. Each agent numbers what it says and waits for the answer before it goes on. */
export interface Saying {
  readonly pairId: number;
  readonly from: string;
  readonly id: number;
  readonly turn: number;
}

/** What the agents of pairs saw. */
export interface PairHistories {
  readonly steps: readonly PairStep[];
  readonly sayings: readonly Saying[];
  /** The pairs of the steps, as they were left. */
  readonly left: readonly Pair[];
}

/** A message to an agent on a node that was acknowledged. */
export interface SentToHosted {
  readonly agent: string;
  readonly id: number;
}

/** A turn that an agent on a node began, as it wrote it down itself. */
export interface LedgerLine {
  readonly agent: string;
  readonly session: string;
  readonly messageIds: readonly number[];
}

/** What was sent to agents on a node, what they read, in order, and what was not told of as seen in the end. */
export interface NodeHistories {
  readonly sends: readonly SentToHosted[];
  readonly unseen: readonly SentToHosted[];
  readonly ledger: readonly LedgerLine[];
}
