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

/** In order; a database's `user_version` is how many of them it has had. Released ones never change: a correction is a new one. */
export const migrations: readonly string[] = [
  core,
  hosting,
  tasks,
  pairs,
  tokenGrants,
  holds,
  channels,
  approvals,
  repeatedReports,
  rememberedApproval,
  provenMail,
];
