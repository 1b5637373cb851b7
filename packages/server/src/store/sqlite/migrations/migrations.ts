import { core } from './0001-core.ts';
import { hosting } from './0002-hosting.ts';
import { tasks } from './0003-tasks.ts';
import { pairs } from './0004-pairs.ts';
import { tokenGrants } from './0005-token-grants.ts';
import { holds } from './0006-holds.ts';
import { channels } from './0007-channels.ts';
import { approvals } from './0008-approvals.ts';
import { repeatedReports } from './0009-repeated-reports.ts';
import { rememberedApproval } from './0010-remembered-approval.ts';
import { provenMail } from './0011-proven-mail.ts';
import { tokenTypes } from './0012-token-types.ts';
import { holdKeys } from './0013-hold-keys.ts';
import { records } from './0014-records.ts';
import { longLists } from './0015-long-lists.ts';
import { search } from './0016-search.ts';
import { auditAndUsage } from './0017-audit-and-usage.ts';
import { shares } from './0018-shares.ts';
import { pushes } from './0019-pushes.ts';
import { countsByStatus } from './0020-counts-by-status.ts';
import { deadLetters } from './0021-dead-letters.ts';
import { rulesNameAgents } from './0022-rules-name-agents.ts';

export interface Migration {
  readonly sql: string;
  /**
   * The least schema that a program must know to work with a database that has had this one: a lower number than its own where programs from
   * before it may go on, because what it adds has defaults and they need not keep it true. Left out, nobody older may.
   */
  readonly worksFrom?: number;
}

/** In order; a database's `user_version` is how many of them it has had. Released ones never change: a correction is a new one. */
export const migrations: readonly Migration[] = [
  { sql: core },
  { sql: hosting },
  { sql: tasks },
  { sql: pairs },
  { sql: tokenGrants },
  { sql: holds },
  { sql: channels },
  { sql: approvals },
  { sql: repeatedReports },
  { sql: rememberedApproval },
  { sql: provenMail },
  { sql: tokenTypes },
  { sql: holdKeys, worksFrom: 12 },
  { sql: records },
  { sql: longLists, worksFrom: 14 },
  { sql: search, worksFrom: 14 },
  { sql: auditAndUsage, worksFrom: 14 },
  // They know no such token, and let nobody in with one.
  { sql: shares, worksFrom: 14 },
  // They push nothing; a subscription whose token they end is good no more when it is looked at.
  { sql: pushes, worksFrom: 14 },
  { sql: countsByStatus, worksFrom: 14 },
  // What they delete stays in it, where no message is found for it.
  { sql: deadLetters, worksFrom: 14 },
  { sql: rulesNameAgents },
];
