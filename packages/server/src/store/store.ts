import type { Claim, Delivery, DeliveryState, HandedState, HeldClaim, MessageDetail, RelayError, RelayEvent } from 'agent-relay-protocol';
import type { Change, DeliveryFound, Page, StoredMessage, TokenRecord } from '../domain/change.ts';
import type {
  AgentFacts,
  ClaimFacts,
  Decision,
  DeliveryFacts,
  DismissalFacts,
  Done,
  EmptyingFacts,
  ExpiryFacts,
  Facts,
  RemovalFacts,
  SendFacts,
} from '../domain/facts.ts';
import type { Histogram } from '../domain/histogram.ts';
import type { Participants } from '../domain/readership.ts';
import type { ActivityStore } from './activity-store.ts';
import type { AgentIndex } from './agent-index.ts';
import type { ApprovalStore } from './approval-store.ts';
import type { Asked } from './asked.ts';
import type { AuditStore } from './audit-store.ts';
import type { CallbackStore } from './callback-store.ts';
import type { ChannelStore } from './channel-store.ts';
import type { HoldStore } from './hold-store.ts';
import type { NodeStore } from './node-store.ts';
import type { PushStore } from './push-store.ts';
import type { Reading } from './reading.ts';
import type { RecordStore } from './record-store.ts';
import type { SearchStore } from './search-store.ts';
import type { SessionStore } from './session-store.ts';
import type { TaskStore } from './task-store.ts';
import type { UsageStore } from './usage-store.ts';

/*
 * The port. A store keeps facts and the log that tells of them, in one commit. Its operations are whole: they read what they name, let a
 * pure synchronous decision look at it, and write the change that it answers with all that follows from it (`follow`). A decision that throws
 * RelayError has changed nothing; it may run twice, and the answer is that of the run that was written.
 * Every write resolves only when it is durable. Reads see committed data only.
 * Errors of the medium: `store_full`, `store_unavailable`; after either, reads go on and later writes may succeed again.
 */

export interface WaitingPage {
  readonly items: readonly DeliveryFound[];
  readonly through: number;
}

export type ClaimSubject = { readonly claimId: string } | { readonly messageId: number };

export interface MessageQuery extends Asked {
  readonly workspace: string;
  readonly for?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly channel?: string | undefined;
  readonly unread?: boolean | undefined;
  readonly claimable?: boolean | undefined;
  /** That a recipient's copy is in; whoever reads as one agent is told of its own copies, and of those that it sent. */
  readonly state?: HandedState | undefined;
  /** Only dead letters. */
  readonly deadLetter?: boolean | undefined;
  /** Messages with a greater id. */
  readonly after: number;
  /** With a smaller one; then the last `limit` of them instead of the first. */
  readonly before?: number | undefined;
  readonly limit: number;
  readonly reading?: Reading | undefined;
}

/** A committed stretch of the log; `events` gives it as single events, each with its own sequence. */
export interface LogEntry {
  readonly first: number;
  readonly last: number;
  readonly workspace: string;
  /** How much text it is, roughly: what a page of large ones costs. */
  readonly characters: number;
  /** Set when the entry is a message. */
  readonly stored: StoredMessage | null;
  events(): readonly RelayEvent[];
}

export interface LogPage {
  readonly entries: readonly LogEntry[];
  /** The log has been read up to here; equal to the head when there is no more. */
  readonly through: number;
}

/** Numbers that are given to nothing: what a log had given out above `after` when a backup took its place. */
export interface SkippedNumbers {
  /** Of the log that ended. */
  readonly generation: string;
  readonly after: number;
  readonly through: number;
}

export interface LogStore {
  /** A random id made with the database: sequences of another generation mean nothing here. */
  readonly generation: string;
  /** The last committed sequence. */
  readonly head: number;
  /** Everything up to here may have been pruned. */
  readonly floor: number;
  /** The log's end after here is in memory, for everybody; what is older is read from the disk. */
  readonly rememberedAfter: number;
  /** Oldest first. A cursor inside one is of a log that has ended. */
  readonly skipped: readonly SkippedNumbers[];
  /**
   * Entries after `after`, in order, of all workspaces; the first may reach back before it. At most `limit`, and no more than fit into
   * `maxCharacters`, but always one when there is one.
   */
  read(after: number, limit: number, maxCharacters?: number): Promise<LogPage>;
  /** Rung after each commit that grew the log. It says nothing else: readers page from where they stand. */
  onCommit(listener: () => void): () => void;
}

export interface AgentStore {
  readonly index: AgentIndex;
  change<Answer>(workspace: string, id: string, decide: (facts: AgentFacts) => Decision<Answer>): Promise<Done<Answer>>;
  /**
   * One step of removing an address. `decide` sees what waits for it in the window, and whether nothing waits beyond it: it ends that mail, and
   * in the last step removes the agent. A step is short, however much waits.
   */
  remove<Answer>(
    workspace: string,
    id: string,
    window: MailWindow,
    decide: (facts: RemovalFacts) => Decision<Answer>,
  ): Promise<{ readonly answer: Answer; readonly through: number; readonly isLast: boolean }>;
}

/** Mail after an id, about so many pieces. */
export interface MailWindow {
  readonly after: number;
  readonly limit: number;
}

export type DecideExpiry<Answer> = (facts: ExpiryFacts) => Decision<Answer>;

/** What a message that is to be written is about, so that its facts can be read before it is decided. */
export interface SendSubject {
  readonly workspace: string;
  /** Its sender: whose copy of the message that it answers counts, and whose idempotency key it is sent under. */
  readonly from: string;
  readonly replyTo: number | null;
  readonly idempotencyKey: string | null;
}

export interface ThreadQuery extends Asked {
  readonly after: number;
  readonly limit: number;
  readonly reading?: Reading | undefined;
}

export interface MessageStore {
  send<Answer>(subject: SendSubject, decide: (facts: SendFacts) => Decision<Answer>): Promise<Done<Answer>>;
  get(workspace: string, id: number): Promise<StoredMessage | null>;
  /** In the order given, as many as one answer may carry with the first `maxReaders` (default: all) who have read each and who holds it, and at least one. */
  detail(messages: readonly StoredMessage[], maxReaders?: number): Promise<readonly MessageDetail[]>;
  list(query: MessageQuery): Promise<Page<StoredMessage>>;
  thread(workspace: string, threadId: number, page: ThreadQuery): Promise<Page<StoredMessage>>;
  /** Who takes part in a thread that is shared; empty for one that is not. `caller` as in `Asked`. */
  participants(workspace: string, threadId: number, caller?: string): Promise<Participants>;
  /** As `participants`, for whoever must not wait; null when it takes a longer look. */
  participantsAtOnce(workspace: string, threadId: number): Participants | null;
  /** Empties the message, if `decide` says so. */
  remove<Answer>(workspace: string, id: number, decide: (facts: EmptyingFacts) => Decision<Answer>): Promise<Done<Answer>>;
  /** How many dead letters there are. */
  countDeadLetters(workspace: string): Promise<{ readonly count: number; readonly cursor: number }>;
  /** It is a dead letter no more, if `decide` says so. */
  dismiss<Answer>(workspace: string, id: number, decide: (facts: DismissalFacts) => Decision<Answer>): Promise<Answer>;
  /** Messages whose time ran out by `now`, each once, at most `limit`. Answers how many they were, and what was decided of each that mattered to somebody. */
  expire<Answer>(
    now: number,
    limit: number,
    decide: DecideExpiry<Answer>,
  ): Promise<{ readonly count: number; readonly answers: readonly Answer[] }>;
  /** When the next message runs out; null when none will. */
  nextExpiry(): Promise<number | null>;
}

export interface DeliveryStore {
  /** Rows only: a fan-out recipient without one is queued. */
  ofMessage(workspace: string, messageId: number): Promise<readonly Delivery[]>;
  /**
   * Waiting mail of an agent after a message id, oldest first: queued, held or dispatched copies, those of fan-out included. Looks at a
   * bounded stretch: there is more when `through` is below the log's head.
   */
  waiting(workspace: string, agentId: string, after: number, limit: number): Promise<WaitingPage>;
  /** The same without the copies of fan-out. */
  waitingDirect(workspace: string, agentId: string, after: number, limit: number): Promise<WaitingPage>;
  /** The oldest copies of an agent that nobody was handed; at most `limit`, oldest first, each as the time since when it waits. */
  untouched(workspace: string, agentId: string, limit: number): Promise<readonly number[]>;
  /** Remembers that no fan-out mail up to `floor` waits for this agent, so that nobody looks there again. */
  raiseFloor(workspace: string, agentId: string, floor: number): Promise<void>;
  /** Moves copies of one agent: `decide` is asked for each message in this agent's mail, and what it decided is answered with whether it changed anything. */
  change<Answer>(
    workspace: string,
    agentId: string,
    ids: readonly number[],
    decide: (facts: DeliveryFacts) => Decision<Answer>,
  ): Promise<readonly MovedCopy<Answer>[]>;
}

export interface MovedCopy<Answer> {
  readonly messageId: number;
  readonly answer: Answer;
  readonly isChanged: boolean;
}

export interface WorkQuery {
  readonly addresses: readonly string[] | null;
  /** Also what somebody has. */
  readonly held: boolean;
  readonly after: number;
  readonly limit: number;
}

export interface WorkFound {
  readonly stored: StoredMessage;
  readonly status: 'open' | 'held';
  /** Zero until somebody has claimed it. */
  readonly fence: number;
}

export interface ClaimStore {
  get(workspace: string, claimId: string): Promise<Claim | null>;
  change<Answer>(workspace: string, subject: ClaimSubject, decide: (facts: ClaimFacts) => Decision<Answer>): Promise<Done<Answer>>;
  /** Held claims whose lease ended by `now`. */
  expire(now: number, limit: number, decide: (claim: HeldClaim, facts: Facts) => Change): Promise<number>;
  /** Moves the end of every lease that is held, in all workspaces: the clock was moved, not the time that is left. */
  moveLeases(byMs: number): Promise<void>;
  /** When the next lease ends; null when nothing is held. */
  nextExpiry(): Promise<number | null>;
  /** Unfinished work, oldest first, of the messages after `after`; `addresses` keeps only what is offered to one of them. */
  listWork(workspace: string, query: WorkQuery): Promise<Page<WorkFound>>;
}

export type TokenSubject = { readonly hash: string } | { readonly workspace: string; readonly tokenId: string };

export interface TokenStore {
  find(hash: string): Promise<TokenRecord | null>;
  list(workspace: string): Promise<readonly TokenRecord[]>;
  /** What begins with a token: nothing of it is there before. */
  begin<Answer>(workspace: string, decide: (facts: Facts) => Decision<Answer>): Promise<Answer>;
  /** Null when there is no such token (any more): of those that would take one out, one does. */
  change<Answer>(subject: TokenSubject, decide: (found: TokenRecord, facts: Facts) => Decision<Answer>): Promise<Answer | null>;
  /** Of all that ran out by `now`; answers how many they were. */
  expire(now: number, decide: (expired: TokenRecord, facts: Facts) => Change): Promise<number>;
  /** Told, after the commit, of every token that was taken out: revoked, run out, or gone with the session it was made for. */
  onEnded(listener: (ended: readonly TokenRecord[]) => void): () => void;
}

export interface StoreCounts {
  readonly messages: number;
  readonly openWork: number;
  readonly undelivered: number;
}

/** Plain numbers since the store was opened, of all workspaces; what a rolled back turn did is not in them. */
export interface StoreFigures {
  readonly messages: number;
  /** Receipts written, by the state they tell. */
  readonly deliveries: Readonly<Record<DeliveryState, number>>;
  /** Kept callbacks, by status. */
  readonly callbacks: Readonly<Record<string, number>>;
  readonly commitSeconds: Histogram;
  /** Operations that shared a commit. */
  readonly commitOperations: Histogram;
  readonly failedCommits: number;
}

/** Works from the log's old end in small writes; each method is called until it answers that it has nothing more to look at. */
export interface RetentionStore {
  /**
   * Ends the mail of messages older than `before` that nobody was handed, as `messages.expire` does; active work is left alone. Looks at
   * `limit` messages and answers whether there may be more.
   */
  expire<Answer>(
    window: { readonly before: number; readonly now: number; readonly limit: number },
    decide: DecideExpiry<Answer>,
  ): Promise<{ readonly hasMore: boolean; readonly answers: readonly Answer[] }>;
  /**
   * Deletes entries of the log from before `before`; active work stays. Looks at `limit` messages and as many events, whatever is stored,
   * and answers whether there may be more.
   */
  prune(before: number, limit: number): Promise<boolean>;
}

/** What is counted in memory inside decisions. A turn that was rolled back is run again, or refused. */
export interface TurnMemory {
  committed(): void;
  /** Nothing of what was decided since the last commit happened. */
  rolledBack(): void;
}

export interface Store {
  readonly log: LogStore;
  readonly agents: AgentStore;
  readonly messages: MessageStore;
  readonly deliveries: DeliveryStore;
  readonly claims: ClaimStore;
  readonly tokens: TokenStore;
  readonly retention: RetentionStore;
  readonly sessions: SessionStore;
  readonly nodes: NodeStore;
  readonly records: RecordStore;
  readonly channels: ChannelStore;
  readonly holds: HoldStore;
  readonly activity: ActivityStore;
  readonly approvals: ApprovalStore;
  readonly tasks: TaskStore;
  readonly callbacks: CallbackStore;
  readonly pushes: PushStore;
  readonly search: SearchStore;
  readonly audit: AuditStore;
  readonly usage: UsageStore;
  /** Told of every turn of writes, before its operations are answered: what a decision counted in memory stays, or is undone. */
  onTurn(memory: TurnMemory): () => void;
  counts(workspace: string): Promise<StoreCounts>;
  figures(): Promise<StoreFigures>;
  /** Whether it can be read and written now; null when it can. Writes nothing that stays. */
  check(): Promise<RelayError | null>;
  /** Empty when the database is sound, else what is wrong with it. */
  integrityCheck(): Promise<readonly string[]>;
  /** Finishes the writes in hand. Idempotent. */
  close(): Promise<void>;
}
