import type { HeldClaim } from 'agent-relay-protocol';
import { isInAudience } from '../../domain/audience.ts';
import type { StoredMessage } from '../../domain/change.ts';
import { type DeliveryRecord, queuedRecord } from '../../domain/delivery.ts';
import type { AgentFacts, Facts, OfferedWork, Replied, TaskFound } from '../../domain/facts.ts';
import type { FollowFacts } from '../../domain/rule.ts';
import type { MutableAgentIndex } from '../agent-index.ts';
import type { Tables } from './change-writer.ts';
import type { SqliteLog } from './log.ts';

/** What decisions are shown; inside `writer.write` only. */
export class FactReader {
  readonly #tables: Tables;
  readonly #log: SqliteLog;
  readonly #index: MutableAgentIndex;
  readonly #following = new Map<string, FollowFacts>();

  constructor(tables: Tables, log: SqliteLog, index: MutableAgentIndex) {
    this.#tables = tables;
    this.#log = log;
    this.#index = index;
  }

  of(workspace: string): Facts {
    return { nextId: this.#log.last + 1, agents: this.#index.in(workspace), records: this.#tables.records.in(workspace) };
  }

  ofAgent(workspace: string, id: string): AgentFacts {
    const entry = this.#index.find(workspace, id);
    return {
      ...this.of(workspace),
      agent: entry?.agent ?? null,
      epoch: entry?.epoch ?? 0,
      spawnedBy: entry?.spawnedBy ?? null,
      isBound: this.#index.isBound(workspace, id),
      approval: entry?.approval ?? 'open',
      heldClaims: entry?.agent ? this.#heldBy(workspace, id) : [],
    };
  }

  /** The message that an answer is to, and the answerer's own copy of it. */
  replied(workspace: string, replyTo: number | null, from: string): Replied {
    const repliedTo = replyTo === null ? null : this.#tables.messages.get(workspace, replyTo);
    return { repliedTo, copy: repliedTo && this.copyOf(workspace, repliedTo, from) };
  }

  /** An agent's own copy of a message; null when it is not among its recipients. */
  copyOf(workspace: string, { message }: StoredMessage, agentId: string): DeliveryRecord | null {
    const entry = this.#index.find(workspace, agentId);
    if (!entry) return null;
    const copy = this.#tables.deliveries.get(message.id, entry.ref);
    if (copy || !isInAudience(message, entry)) return copy;
    return queuedRecord(message.createdAt);
  }

  /** The work that a message offers, and the newest claim on it. */
  workOn(workspace: string, messageId: number) {
    const { claims } = this.#tables;
    const task = claims.work('task', messageId);
    const row = task ?? claims.work('message', messageId);
    if (!row) return null;
    const work: OfferedWork = { kind: task ? 'task' : 'message', status: row.status, fence: row.fence };
    return { work, claim: row.claim_id === null ? null : claims.get(workspace, row.claim_id) };
  }

  ofTask(workspace: string, id: number): TaskFound | null {
    const task = this.#tables.tasks.get(workspace, id);
    if (!task) return null;
    const found = this.workOn(workspace, id);
    const claim = found?.claim ?? null;
    const { copy } = this.replied(workspace, claim && id, claim?.agentId ?? '');
    return { task, work: found && { status: found.work.status, fence: found.work.fence }, claim, copy };
  }

  /** Made once: every write asks for it, and few look anything up. */
  following(workspace: string): FollowFacts {
    let found = this.#following.get(workspace);
    if (!found) {
      found = this.#followingIn(workspace);
      this.#following.set(workspace, found);
    }
    return found;
  }

  #followingIn(workspace: string): FollowFacts {
    const { records, channels, tasks, approvals, tokens, nodes } = this.#tables;
    const log = this.#log;
    return {
      get nextId() {
        return log.last + 1;
      },
      agent: (id) => this.#index.find(workspace, id),
      heldBy: (agentId) => this.#heldBy(workspace, agentId),
      records: records.in(workspace),
      bindingsOf: (channelId) => channels.of(workspace, channelId),
      task: (id) => tasks.get(workspace, id),
      pendingOf: (sessionId) => approvals.pendingOf(workspace, sessionId),
      workOn: (messageId) => this.workOn(workspace, messageId)?.work ?? null,
      tokensOf: (agentId) => tokens.ofAgent(workspace, agentId),
      node: (nodeId) => nodes.get(workspace, nodeId),
      tokensOfNode: (nodeId) => tokens.ofNode(workspace, nodeId),
      isReserved: (agentId) => this.#index.isReserved(workspace, agentId),
    };
  }

  #heldBy(workspace: string, agentId: string): readonly HeldClaim[] {
    return this.#tables.claims.heldBy(workspace, agentId).filter((claim): claim is HeldClaim => claim.status === 'held');
  }
}
