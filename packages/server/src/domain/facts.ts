import type {
  Agent,
  Approval,
  ApprovalMode,
  ChannelBinding,
  Claim,
  HeldClaim,
  Hold,
  Message,
  OpenHold,
  PendingApproval,
  ReportedEvent,
  Session,
  Task,
} from 'agent-relay-protocol';
import type { AttemptKey, Change, DeliveryFound, StoredMessage, TokenRecord } from './change.ts';
import type { DeliveryRecord } from './delivery.ts';
import type { Directory } from './directory.ts';
import type { Participants } from './readership.ts';
import type { RecordFacts } from './resource.ts';

/*
 * What decisions are shown, and what they answer. A decision is a pure function of its facts: it is asked inside the write that carries it out,
 * after everything that was written before, and again when that write has to be repeated.
 */

export interface Facts {
  /** The number of the log's next entry, which the first message of `Change.sent` will have. */
  readonly nextId: number;
  readonly agents: Directory;
  readonly records: RecordFacts;
}

/** What the caller is answered, and what is written; nothing where `change` is null. */
export interface Decision<Answer> {
  readonly answer: Answer;
  readonly change: Change | null;
}

/** What a write came to. */
export interface Done<Answer> {
  readonly answer: Answer;
  /** The messages of `Change.sent`, numbered. */
  readonly sent: readonly StoredMessage[];
  /** The log as far as the write brought it. */
  readonly cursor: number;
}

export interface AgentFacts extends Facts {
  readonly agent: Agent | null;
  /** The last epoch this address had, also before it was pruned. */
  readonly epoch: number;
  readonly spawnedBy: string | null;
  /** A person made a token that speaks for it: it is protected in whatever session, or none. */
  readonly isBound: boolean;
  /** What holds for it, or held when it was removed; `open` before anybody said. */
  readonly approval: ApprovalMode;
  readonly heldClaims: readonly HeldClaim[];
}

/** One step of removing an address. */
export interface RemovalFacts extends AgentFacts {
  /** What waits for it in the window that was asked for. */
  readonly waiting: readonly DeliveryFound[];
  /** Nothing waits beyond the window. */
  readonly isLast: boolean;
  /** Somebody is bound to conversations of it. */
  readonly hasBindings: boolean;
}

/** What a new message answers. */
export interface Replied {
  /** The message that `replyTo` names, null when there is none. */
  readonly repliedTo: StoredMessage | null;
  /** The replier's own copy of it, null when the replier is not among its recipients. */
  readonly copy: DeliveryRecord | null;
}

export interface SendFacts extends Facts, Replied {
  /** What was sent, or held, under the same idempotency key. */
  readonly earlier: Earlier | null;
  /** Looks up who takes part in the thread of the message that is answered. */
  participants(): Participants;
  /** The open hold of the same attempt. */
  heldAlike(digest: string): OpenHold | null;
  /** How many messages of the sender are held. */
  openHolds(): number;
}

export type Earlier = { readonly digest: string } & ({ readonly stored: StoredMessage } | { readonly hold: Hold });

export interface DeliveryFacts extends Facts {
  readonly found: DeliveryFound;
  /** Of its id among those that were asked for. */
  readonly position: number;
}

/** What is known of a message before somebody acts on it. */
export interface ReadingFacts extends Facts {
  /** Looks up who takes part in its thread. */
  participants(): Participants;
}

export interface DismissalFacts extends ReadingFacts {
  readonly found: StoredMessage | null;
  /** It is a dead letter. */
  readonly isDeadLetter: boolean;
}

export interface EmptyingFacts extends ReadingFacts {
  readonly found: StoredMessage | null;
  /** Its copies that are open: queued, or dispatched. */
  readonly open: readonly DeliveryFound[];
  /** The claim that is held on it. */
  readonly held: HeldClaim | null;
}

/** What is known when an agent asks a person something itself. */
export interface QuestionFacts extends Facts {
  readonly agent: Agent | null;
  /** What its session asked under the same id. */
  readonly found: Approval | null;
  /** What its session asked and nobody answered yet. */
  readonly pending: readonly PendingApproval[];
}

/** What is known when a held message is released. */
export interface ReleaseFacts extends Facts, Replied {
  readonly hold: Hold | null;
  /** Under which key it was sent. */
  readonly key: AttemptKey | null;
}

/** The work that a message offers. */
export interface OfferedWork {
  /** A claim on a message that offers a task is a claim on the task. */
  readonly kind: Claim['kind'];
  readonly status: 'open' | 'held' | 'closed';
  readonly fence: number;
}

export interface ExpiryFacts extends Facts {
  readonly found: StoredMessage;
  /** Its copies that nobody was handed. */
  readonly waiting: readonly DeliveryFound[];
  readonly work: OfferedWork | null;
}

export interface ClaimFacts extends ReadingFacts {
  readonly message: Message | null;
  readonly kind: Claim['kind'];
  /** Null when the message is no work. */
  readonly work: Pick<OfferedWork, 'status' | 'fence'> | null;
  /** The claim asked for, or the newest on the message. */
  readonly claim: Claim | null;
  /** The claim's agent's own copy of the message; null when it is not among its recipients. */
  readonly copy: DeliveryRecord | null;
}

export interface TaskFound {
  readonly task: Task;
  readonly work: Pick<OfferedWork, 'status' | 'fence'> | null;
  /** The newest claim on it. */
  readonly claim: Claim | null;
  /** Its holder's own copy of the message that offers it; null when the holder is not among its recipients. */
  readonly copy: DeliveryRecord | null;
}

export interface TaskFacts extends Facts {
  readonly found: TaskFound | null;
}

export interface ReportFacts extends Facts {
  /** What became of the report that came before under the same idempotency key. */
  readonly earlier: { readonly digest: string; readonly outcome: ReportedEvent['outcome']; readonly task: Task | null } | null;
  /** The task that is active under the dedupe key. */
  readonly active: TaskFound | null;
}

export interface BindingFacts extends Facts {
  /** The bindings of the conversation. */
  readonly existing: readonly ChannelBinding[];
}

/** What is known of something that came in. */
export interface InboundFacts extends Facts {
  /** What it became when it was brought before; else empty. */
  readonly earlier: readonly StoredMessage[];
  /** Those of the conversation, and those of every conversation. */
  readonly bindings: readonly ChannelBinding[];
  /** The messages linked to what it answers, newest first, each with the channel's own copy. */
  readonly answered: readonly { readonly repliedTo: StoredMessage; readonly copy: DeliveryRecord | null }[];
  participantsOf(message: Message): Participants;
}

export interface SessionFacts extends Facts {
  /** The address that it is a session of. */
  readonly found: AgentFacts;
  /** What it asked and nobody answered yet. */
  readonly pending: readonly PendingApproval[];
}

/** What is known when a session's activity has a new entry. */
export interface ActivityFacts extends Facts {
  readonly session: Session;
  /** Looks up what the session has asked. */
  findApproval(approvalId: string): Approval | null;
}

/** What is there before a session begins. */
export interface BeginningFacts extends AgentFacts {
  /** The session that the agent still has. */
  readonly unfinished: Session | null;
  /** Looks up the last session of this name, whoever has had it since. */
  newest(): Session | null;
  session(sessionId: string): Session | null;
  /** Looks up the session that another agent has, also where its name has been taken over. */
  unfinishedOf(agentId: string): Session | null;
  /** Looks up a token; null when it is not there (any more). */
  token(hash: string): TokenRecord | null;
}
