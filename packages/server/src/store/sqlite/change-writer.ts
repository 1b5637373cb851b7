import type { AgentWrite, Change, DeliveryWrite, HoldWrite, NewMessage, ReportKey, StoredMessage } from '../../domain/change.ts';
import type { Decision, Done } from '../../domain/facts.ts';
import { follow } from '../../domain/follow.ts';
import { numbered } from '../../domain/message.ts';
import type { FollowFacts } from '../../domain/rule.ts';
import type { MutableAgentIndex } from '../agent-index.ts';

import type { AddressTable } from './address-table.ts';
import type { ApprovalTable } from './approval-table.ts';
import type { CallbackTable } from './callback-table.ts';
import type { ChannelTable } from './channel-table.ts';
import type { ClaimTable } from './claim-table.ts';
import type { DeadLetterTable } from './dead-letter-table.ts';
import type { DeliveryTable } from './delivery-table.ts';
import type { HoldTable } from './hold-table.ts';
import type { SqliteLog } from './log.ts';
import type { MessageTable } from './message-table.ts';
import type { NodeTable } from './node-table.ts';
import type { PushTable } from './push-table.ts';
import type { RecordTable } from './record-table.ts';
import type { ReportKeyTable } from './report-key-table.ts';
import type { SessionTable } from './session-table.ts';
import type { TaskTable } from './task-table.ts';
import type { TokenTable } from './token-table.ts';

export interface Tables {
  readonly addresses: AddressTable;
  readonly messages: MessageTable;
  readonly deliveries: DeliveryTable;
  readonly claims: ClaimTable;
  readonly records: RecordTable;
  readonly approvals: ApprovalTable;
  readonly sessions: SessionTable;
  readonly channels: ChannelTable;
  readonly holds: HoldTable;
  readonly tasks: TaskTable;
  readonly reportKeys: ReportKeyTable;
  readonly callbacks: CallbackTable;
  readonly tokens: TokenTable;
  readonly pushes: PushTable;
  readonly nodes: NodeTable;
  readonly deadLetters: DeadLetterTable;
}

const nothing: readonly never[] = [];

/** Carries out what a decision answered and what follows from it, inside the write that asked it. */
export class ChangeWriter {
  readonly tables: Tables;
  readonly #log: SqliteLog;
  readonly #index: MutableAgentIndex;
  readonly #following: (workspace: string) => FollowFacts;

  constructor(tables: Tables, log: SqliteLog, index: MutableAgentIndex, following: (workspace: string) => FollowFacts) {
    this.tables = tables;
    this.#log = log;
    this.#index = index;
    this.#following = following;
  }

  carryOut<Answer>(workspace: string, { answer, change }: Decision<Answer>): Done<Answer> {
    const sent = change === null ? nothing : this.apply(workspace, change);
    return { answer, sent, cursor: this.#log.last };
  }

  /** Answers the messages of `sent`, numbered. */
  apply(workspace: string, decided: Change): readonly StoredMessage[] {
    const change = follow(this.#following(workspace), decided);
    const sent = (change.sent ?? nothing).map((message) => this.#append(workspace, message));
    for (const event of change.events ?? nothing) this.#log.append(workspace, event);
    for (const write of change.agents ?? nothing) this.#putAgent(workspace, write);
    this.#applyWork(workspace, change);
    for (const write of change.records ?? nothing) this.tables.records.put(workspace, write);
    for (const approval of change.approvals ?? nothing) this.tables.approvals.put(workspace, approval);
    for (const session of change.sessions ?? nothing) this.tables.sessions.put(workspace, session);
    for (const write of change.holds ?? nothing) this.#putHold(workspace, write);
    this.#applyChannels(workspace, change);
    for (const message of change.emptied ?? nothing) this.tables.messages.bury(message, change.at);
    this.#applyReceipts(workspace, change);
    this.#applyTokens(workspace, change);
    for (const write of change.nodes ?? nothing) this.tables.nodes.put(workspace, write);
    if (change.reportKey) this.#putReportKey(workspace, change.reportKey, change.at);
    for (const notice of change.notices ?? nothing) this.#append(workspace, notice);
    return sent;
  }

  /** After the event that tells of it, at whose sequence a membership begins. */
  #putAgent(workspace: string, { id, agent, spawnedBy }: AgentWrite): void {
    const kept = this.#index.find(workspace, id)?.spawnedBy ?? null;
    this.tables.addresses.set(workspace, id, { agent, spawnedBy: spawnedBy === undefined ? kept : spawnedBy }, this.#log.last);
  }

  #applyWork(workspace: string, { claims, work, tasks, closedWork }: Change): void {
    for (const claim of claims ?? nothing) this.tables.claims.put(workspace, claim);
    for (const write of work ?? nothing) this.tables.claims.setWork(write);
    for (const step of tasks ?? nothing) this.tables.tasks.apply(workspace, step);
    for (const { kind, subjectId } of closedWork ?? nothing) this.tables.claims.close(kind, subjectId);
  }

  #applyChannels(workspace: string, { bound, unbound, endedChannels, links }: Change): void {
    const { channels } = this.tables;
    for (const binding of bound ?? nothing) channels.bind(workspace, binding);
    for (const binding of unbound ?? nothing) channels.unbind(workspace, binding);
    for (const id of endedChannels ?? nothing) channels.removeLinks(workspace, id);
    for (const { channelId, ...link } of links ?? nothing) channels.link(workspace, channelId, { ...link, inbound: false });
  }

  #applyReceipts(workspace: string, { deliveries, deadLetters }: Change): void {
    for (const write of deliveries ?? nothing) this.#putDelivery(workspace, write);
    for (const write of deadLetters ?? nothing) this.tables.deadLetters.put(workspace, write);
  }

  #putHold(workspace: string, { hold, attempt, joinedUnder }: HoldWrite): void {
    if (attempt === null) this.tables.holds.update(hold);
    else this.tables.holds.insert(workspace, hold, attempt);
    if (joinedUnder !== undefined) this.tables.holds.join(workspace, hold, joinedUnder);
  }

  #putDelivery(workspace: string, { messageId, agentId, from, next, tell }: DeliveryWrite): void {
    this.tables.deliveries.put(messageId, this.tables.addresses.ensure(workspace, agentId).ref, next);
    if (!tell) return;
    const { state, evidence, late, reason, updatedAt } = next;
    this.#log.tellDelivery(workspace, updatedAt, { messageId, agentId, from, state, evidence, late, reason });
  }

  #applyTokens(workspace: string, change: Change): void {
    const { tokens, pushes } = this.tables;
    for (const token of change.endedTokens ?? nothing) tokens.end(token);
    for (const holder of change.endedHolders ?? nothing) pushes.endOfHolder(workspace, holder);
    for (const token of change.namedTokens ?? nothing) tokens.name(token);
    for (const token of change.tokens ?? nothing) tokens.put(token);
  }

  #putReportKey(workspace: string, key: ReportKey, at: number): void {
    this.tables.reportKeys.put(workspace, key, at);
  }

  #append(workspace: string, { draft, matched, task, key, link }: NewMessage): StoredMessage {
    const { messages, tasks, channels } = this.tables;
    const stored: StoredMessage = { workspace, message: numbered(draft, this.#log.next()), matched };
    const { id } = stored.message;
    messages.append(stored, task ? 'task' : 'message');
    if (key) messages.putKey(workspace, draft.from, key, id);
    if (task) tasks.create(workspace, task);
    if (link) channels.link(workspace, draft.from, { ...link, messageId: id, part: 0, inbound: true });
    return stored;
  }
}
