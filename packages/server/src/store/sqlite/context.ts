import type { Database } from 'better-sqlite3';
import type { MutableAgentIndex } from '../agent-index.ts';
import type { AuditTable } from './audit-table.ts';
import type { ChangeWriter } from './change-writer.ts';
import type { FactReader } from './fact-reader.ts';
import type { SqliteLog } from './log.ts';
import type { OpenMail } from './open-mail.ts';
import type { PushTable } from './push-table.ts';
import type { ScanTurns } from './scan-turns.ts';
import type { ThreadParticipants } from './thread-participants.ts';
import type { UsageTable } from './usage-table.ts';
import type { Writer } from './writer.ts';

/** What the parts of the SQLite store share. */
export interface SqliteContext {
  /** The writing connection: statements prepared on it run inside `writer.write` only. */
  readonly database: Database;
  /** Reads; sees what is committed. */
  readonly reader: Database;
  readonly writer: Writer;
  /** `append` and `tellDelivery` inside `writer.write`. */
  readonly log: SqliteLog;
  readonly index: MutableAgentIndex;
  readonly openMail: OpenMail;
  /** Of those who pass over many rows to find a few. */
  readonly scanTurns: ScanTurns;
  /** Reads committed threads. */
  readonly participants: ThreadParticipants;
  /** What decisions are shown, inside `writer.write`. */
  readonly facts: FactReader;
  /** Carries out a Change, inside `writer.write`. */
  readonly changes: ChangeWriter;
  readonly audit: AuditTable;
  /** Inside `writer.write`. */
  readonly pushes: PushTable;
  /** Inside `writer.write`. */
  readonly usage: UsageTable;
}
