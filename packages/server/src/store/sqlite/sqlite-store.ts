import { type RelayError, toRelayError } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { MutableAgentIndex } from '../agent-index.ts';
import type { Store, StoreCounts, StoreFigures, TurnMemory } from '../store.ts';
import { AddressTable } from './address-table.ts';
import { ApprovalTable } from './approval-table.ts';
import { AuditTable } from './audit-table.ts';
import { CallbackTable } from './callback-table.ts';
import { ChangeWriter } from './change-writer.ts';
import { ChannelTable } from './channel-table.ts';
import { ClaimTable } from './claim-table.ts';
import type { SqliteContext } from './context.ts';
import { DeadLetterTable } from './dead-letter-table.ts';
import { DeliveryTable } from './delivery-table.ts';
import { FactReader } from './fact-reader.ts';
import { HoldTable } from './hold-table.ts';
import { SqliteLog } from './log.ts';
import { MessageTable } from './message-table.ts';
import { NodeTable } from './node-table.ts';
import { DEFAULT_BUSY_TIMEOUT_MS, openConnections, type SqliteOptions } from './open.ts';
import { OpenMail } from './open-mail.ts';
import { PushTable } from './push-table.ts';
import { RecordTable } from './record-table.ts';
import { ReportKeyTable } from './report-key-table.ts';
import { ScanTurns } from './scan-turns.ts';
import { SessionTable } from './session-table.ts';
import { SqliteActivity } from './sqlite-activity.ts';
import { SqliteAgents } from './sqlite-agents.ts';
import { SqliteApprovals } from './sqlite-approvals.ts';
import { SqliteAudit } from './sqlite-audit.ts';
import { SqliteCallbacks } from './sqlite-callbacks.ts';
import { SqliteChannels } from './sqlite-channels.ts';
import { SqliteClaims } from './sqlite-claims.ts';
import { SqliteDeliveries } from './sqlite-deliveries.ts';
import { storeErrorOf } from './sqlite-error.ts';
import { SqliteHolds } from './sqlite-holds.ts';
import { SqliteMessages } from './sqlite-messages.ts';
import { SqliteNodes } from './sqlite-nodes.ts';
import { SqlitePushes } from './sqlite-pushes.ts';
import { SqliteRecords } from './sqlite-records.ts';
import { SqliteRetention } from './sqlite-retention.ts';
import { SqliteSearch } from './sqlite-search.ts';
import { SqliteSessions } from './sqlite-sessions.ts';
import { SqliteTasks } from './sqlite-tasks.ts';
import { SqliteTokens } from './sqlite-tokens.ts';
import { SqliteUsage } from './sqlite-usage.ts';
import { TaskTable } from './task-table.ts';
import { ThreadParticipants } from './thread-participants.ts';
import { TokenTable } from './token-table.ts';
import { UsageTable } from './usage-table.ts';
import { Writer } from './writer.ts';

/** The default engine: one file, one writer, group commit. */
export class SqliteStore implements Store {
  readonly log: SqliteLog;
  readonly agents: SqliteAgents;
  readonly messages: SqliteMessages;
  readonly deliveries: SqliteDeliveries;
  readonly claims: SqliteClaims;
  readonly tokens: SqliteTokens;
  readonly retention: SqliteRetention;
  readonly sessions: SqliteSessions;
  readonly nodes: SqliteNodes;
  readonly activity: SqliteActivity;
  readonly approvals: SqliteApprovals;
  readonly records: SqliteRecords;
  readonly channels: SqliteChannels;
  readonly holds: SqliteHolds;
  readonly tasks: SqliteTasks;
  readonly callbacks: SqliteCallbacks;
  readonly pushes: SqlitePushes;
  readonly search: SqliteSearch;
  readonly audit: SqliteAudit;
  readonly usage: SqliteUsage;
  readonly #context: SqliteContext;
  readonly #memories: Set<TurnMemory>;
  readonly #touch: Statement<[]>;
  readonly #counts: Statement<[string, string], { readonly messages: number; readonly openWork: number }>;
  readonly #isOneWorkspace: Statement<[], number>;
  readonly #callbackCounts: Statement<[], { readonly status: string; readonly count: number }>;
  #isClosed = false;

  private constructor(context: SqliteContext, memories: Set<TurnMemory>) {
    this.#context = context;
    this.#memories = memories;
    this.log = context.log;
    this.agents = new SqliteAgents(context);
    this.messages = new SqliteMessages(context);
    this.deliveries = new SqliteDeliveries(context);
    this.claims = new SqliteClaims(context);
    this.tokens = new SqliteTokens(context);
    this.retention = new SqliteRetention(context);
    this.sessions = new SqliteSessions(context);
    this.nodes = new SqliteNodes(context);
    this.activity = new SqliteActivity(context);
    this.approvals = new SqliteApprovals(context);
    this.records = new SqliteRecords(context);
    this.channels = new SqliteChannels(context);
    this.holds = new SqliteHolds(context);
    this.tasks = new SqliteTasks(context);
    this.callbacks = new SqliteCallbacks(context);
    this.pushes = new SqlitePushes(context);
    this.search = new SqliteSearch(context);
    this.audit = new SqliteAudit(context);
    this.usage = new SqliteUsage(context);
    this.#touch = context.database.prepare("UPDATE meta SET value = value WHERE key = 'generation'");
    this.#isOneWorkspace = context.reader.prepare<[], number>('SELECT min(workspace) IS max(workspace) FROM addresses').pluck();
    this.#callbackCounts = context.reader.prepare('SELECT status, count(*) AS count FROM callbacks GROUP BY status');
    this.#counts = context.reader.prepare(
      `SELECT (SELECT count(*) FROM messages WHERE workspace = ?) AS messages,
        (SELECT count(*) FROM work WHERE workspace = ? AND status <> 'closed') AS openWork`,
    );
  }

  /** @throws RelayError `store_unavailable` naming the file and what is wrong. */
  static async open(options: SqliteOptions): Promise<SqliteStore> {
    const { database, reader } = await openConnections(options);
    try {
      const log = new SqliteLog(database, reader);
      const index = new MutableAgentIndex();
      const addresses = new AddressTable(database, index);
      const openMail = new OpenMail(database, index);
      const deliveries = new DeliveryTable(database, openMail);
      const messages = new MessageTable(database, log, addresses, deliveries);
      const callbacks = new CallbackTable(database);
      const pushes = new PushTable(database);
      const tables = {
        addresses,
        messages,
        deliveries,
        ...ownTables(database),
        tasks: new TaskTable(database, log, callbacks),
        reportKeys: new ReportKeyTable(database),
        callbacks,
        tokens: new TokenTable(database, index),
        pushes,
        nodes: new NodeTable(database),
      };
      const facts = new FactReader(tables, log, index);
      const changes = new ChangeWriter(tables, log, index, (workspace) => facts.following(workspace));
      const audit = new AuditTable(database);
      const memories = new Set<TurnMemory>([audit]);
      const writer = new Writer(database, options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS, {
        asker: () => {
          const doing = audit.current();
          return doing && (() => audit.link(doing));
        },
        beforeCommit: () => {
          log.beforeCommit();
          openMail.writeOldest(log.last);
        },
        committed: () => {
          for (const each of [log, deliveries, callbacks, pushes, tables.tokens, ...memories]) each.committed();
        },
        rolledBack: () => {
          log.rolledBack();
          deliveries.rolledBack();
          addresses.reload();
          openMail.reload();
          callbacks.rolledBack();
          pushes.rolledBack();
          tables.tokens.rolledBack();
          for (const memory of memories) memory.rolledBack();
        },
      });
      const usage = new UsageTable(database);
      const threads = { scanTurns: new ScanTurns(), participants: new ThreadParticipants(reader) };
      const own = { openMail, facts, changes, audit, pushes, usage };
      return new SqliteStore({ database, reader, writer, log, index, ...threads, ...own }, memories);
    } catch (error) {
      reader.close();
      database.close();
      throw storeErrorOf(error) ?? error;
    }
  }

  onTurn(memory: TurnMemory): () => void {
    this.#memories.add(memory);
    return () => this.#memories.delete(memory);
  }

  async counts(workspace: string): Promise<StoreCounts> {
    const { index, openMail } = this.#context;
    // Of a relay with one workspace nobody has to be looked up.
    const isOnlyOne = this.#isOneWorkspace.get() === 1;
    const undelivered = openMail.count((ref) => isOnlyOne || index.byRef(ref)?.workspace === workspace);
    return { messages: 0, openWork: 0, ...this.#counts.get(workspace, workspace), undelivered };
  }

  async figures(): Promise<StoreFigures> {
    const { writer, log, changes } = this.#context;
    return {
      messages: log.messages,
      deliveries: { ...changes.tables.deliveries.written },
      callbacks: Object.fromEntries(this.#callbackCounts.all().map(({ status, count }) => [status, count])),
      commitSeconds: writer.commitSeconds,
      commitOperations: writer.commitOperations,
      failedCommits: writer.failedCommits,
    };
  }

  async check(): Promise<RelayError | null> {
    try {
      await this.#context.writer.write(() => this.#touch.run(), { isImpatient: true });
      return null;
    } catch (error) {
      return storeErrorOf(error) ?? toRelayError(error);
    }
  }

  async integrityCheck(): Promise<readonly string[]> {
    const found = this.#context.reader.prepare<[], string>('PRAGMA integrity_check').pluck().all();
    return found.length === 1 && found[0] === 'ok' ? [] : found;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#context.writer.close();
    this.#context.reader.close();
    this.#context.database.close();
  }
}

/** Those that need nothing but the database. */
const ownTables = (database: Database) => ({
  claims: new ClaimTable(database),
  records: new RecordTable(database),
  approvals: new ApprovalTable(database),
  sessions: new SessionTable(database),
  channels: new ChannelTable(database),
  holds: new HoldTable(database),
  deadLetters: new DeadLetterTable(database),
});
