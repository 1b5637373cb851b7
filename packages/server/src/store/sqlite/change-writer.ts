import type { Claim } from 'agent-relay-protocol';
import type { Change, DeliveryWrite, NewMessage, NewTask } from '../../domain/change.ts';
import { isActive, type TaskStep } from '../../domain/task-lifecycle.ts';
import type { MutableAgentIndex } from '../agent-index.ts';
import type { AddressTable } from './address-table.ts';
import type { ApprovalTable } from './approval-table.ts';
import type { CallbackTable } from './callback-table.ts';
import type { ChannelTable } from './channel-table.ts';
import type { ClaimTable } from './claim-table.ts';
import type { DeliveryTable } from './delivery-table.ts';
import type { HoldTable } from './hold-table.ts';
import type { SqliteLog } from './log.ts';
import type { MessageTable } from './message-table.ts';
import type { PairTable } from './pair-table.ts';
import type { TaskTable } from './task-table.ts';
import type { TokenTable } from './token-table.ts';

export interface Tables {
  readonly addresses: AddressTable;
  readonly messages: MessageTable;
  readonly deliveries: DeliveryTable;
  readonly claims: ClaimTable;
  readonly pairs: PairTable;
  readonly approvals: ApprovalTable;
  readonly channels: ChannelTable;
  readonly holds: HoldTable;
  readonly tasks: TaskTable;
  readonly callbacks: CallbackTable;
  readonly tokens: TokenTable;
}

type AgentWrite = NonNullable<Change['agents']>[number];

/** Carries out what a decision answered, inside the write that asked it. */
export class ChangeWriter {
  readonly tables: Tables;
  readonly #log: SqliteLog;
  readonly #index: MutableAgentIndex;

  constructor(tables: Tables, log: SqliteLog, index: MutableAgentIndex) {
    this.tables = tables;
    this.#log = log;
    this.#index = index;
  }

  apply(workspace: string, change: Change): void {
    for (const event of change.events ?? []) this.#log.append(workspace, event);
    for (const write of change.agents ?? []) this.#putAgent(workspace, write, change.events?.at(-1)?.at ?? 0);
    for (const claim of change.claims ?? []) this.#putClaim(workspace, claim, change);
    for (const step of change.tasks ?? []) this.#applyStep(workspace, step);
    for (const pair of change.pairs ?? []) this.tables.pairs.put(workspace, pair);
    for (const approval of change.approvals ?? []) this.tables.approvals.put(workspace, approval);
    for (const write of change.deliveries ?? []) this.writeDelivery(workspace, write);
    for (const agentId of change.revokeAgentTokens ?? []) this.tables.tokens.removeOfAgent(workspace, agentId);
    for (const token of change.tokens ?? []) this.tables.tokens.put(token);
    for (const decide of change.messages ?? []) this.#appendMessage(workspace, decide);
  }

  writeDelivery(workspace: string, { messageId, agentId, from, next, tell }: DeliveryWrite): void {
    this.tables.deliveries.put(messageId, this.tables.addresses.ensure(workspace, agentId).ref, next);
    if (!tell) return;
    const { state, evidence, late, reason, updatedAt } = next;
    this.#log.tellDelivery(workspace, updatedAt, { messageId, agentId, from, state, evidence, late, reason });
  }

  /** After the event that tells of it, at whose sequence a membership begins. */
  #putAgent(workspace: string, { id, agent, spawnedBy }: AgentWrite, at: number): void {
    const before = this.#index.find(workspace, id);
    const kept = before?.spawnedBy ?? null;
    const isNoChannelNow = before?.agent?.kind === 'channel' && agent?.kind !== 'channel';
    this.tables.addresses.set(workspace, id, agent, spawnedBy === undefined ? kept : spawnedBy, this.#log.last);
    if (isNoChannelNow) this.tables.channels.end(workspace, id, at);
  }

  /** A task goes where the claim on it goes, whoever put the claim. */
  #putClaim(workspace: string, claim: Claim, { events = [], tasks = [] }: Change): void {
    this.tables.claims.put(workspace, claim);
    if (claim.kind !== 'task' || tasks.some(({ task }) => task.id === claim.subjectId)) return;
    const at = claim.status === 'held' ? (events.at(-1)?.at ?? claim.claimedAt) : claim.endedAt;
    this.tables.tasks.follow(workspace, claim, at);
  }

  /** A task that has ended is nobody's to claim. */
  #applyStep(workspace: string, step: TaskStep): void {
    this.tables.tasks.apply(workspace, step);
    if (!isActive(step.task)) this.tables.claims.close('task', step.task.id);
  }

  #appendMessage(workspace: string, decide: (id: number) => NewMessage): void {
    let opened: NewTask | undefined;
    this.tables.messages.append(workspace, (id) => {
      const decided = decide(id);
      opened = decided.task;
      return decided;
    });
    if (opened) this.tables.tasks.create(workspace, opened);
  }
}
