import type { RelayEvent } from 'agent-relay-protocol';
import type { Command } from 'commander';
import { agentsCommand } from './agents.ts';
import { approvalsCommand, approveCommand, denyCommand } from './approvals.ts';
import { auditCommand } from './audit.ts';
import { backupCommand } from './backup.ts';
import { callbacksCommand } from './callbacks.ts';
import { channelCommand, channelsCommand } from './channels.ts';
import { claimCommand, completeCommand, takeBackCommand } from './claims.ts';
import { configCommand } from './config.ts';
import { daemonCommand } from './daemon.ts';
import { doctorCommand } from './doctor.ts';
import {
  agentWords,
  approvalWords,
  channelWords,
  claimWords,
  deliveryWords,
  type EventWords,
  messageWords,
  pairWords,
  sessionWords,
  taskWords,
  tokenWords,
} from './event-words.ts';
import { holdsCommand } from './holds.ts';
import { hooksCommand, hookWords } from './hooks.ts';
import { inboxCommand } from './inbox.ts';
import { loginCommand } from './login.ts';
import { logsCommand } from './logs.ts';
import { nodesCommand } from './nodes.ts';
import { pairCommand } from './pair.ts';
import { providersCommand } from './providers.ts';
import { registerCommand } from './register.ts';
import { reservationsCommand, reservationWords } from './reservations.ts';
import { restoreCommand } from './restore.ts';
import { approvalRuleWords, rulesCommand } from './rules.ts';
import { recordCommand, replayCommand } from './runs.ts';
import { filesCommand, searchCommand } from './search.ts';
import { sendCommand } from './send.ts';
import { setupCommand } from './setup.ts';
import { shareCommand, sharesCommand } from './shares.ts';
import { slashCommands } from './slash.ts';
import { spawnCommand } from './spawn.ts';
import { approvalCommand, interruptCommand, releaseCommand } from './steer.ts';
import { taskCommand, tasksCommand } from './tasks.ts';
import { clockTime, type Terminal } from './terminal.ts';
import { tokenCommand } from './token.ts';
import { upgradeCommand } from './upgrade.ts';
import { usageCommand } from './usage.ts';
import { verifyCommand } from './verify.ts';
import { watchCommand } from './watch.ts';
import { workCommand } from './work.ts';

/*
 * What there is for people, resource by resource: the commands, and the words for what the log tells.
 */

export const commands: readonly ((terminal: Terminal) => Command)[] = [
  spawnCommand,
  sendCommand,
  inboxCommand,
  agentsCommand,
  (terminal) => watchCommand(terminal, describeEvent),
  logsCommand,
  searchCommand,
  filesCommand,
  recordCommand,
  replayCommand,
  interruptCommand,
  releaseCommand,
  nodesCommand,
  providersCommand,
  approvalsCommand,
  approveCommand,
  denyCommand,
  approvalCommand,
  rulesCommand,
  reservationsCommand,
  hooksCommand,
  auditCommand,
  usageCommand,
  workCommand,
  claimCommand,
  completeCommand,
  takeBackCommand,
  pairCommand,
  registerCommand,
  tasksCommand,
  taskCommand,
  callbacksCommand,
  channelsCommand,
  channelCommand,
  holdsCommand,
  verifyCommand,
  loginCommand,
  doctorCommand,
  configCommand,
  tokenCommand,
  shareCommand,
  sharesCommand,
  setupCommand,
  daemonCommand,
  upgradeCommand,
  backupCommand,
  restoreCommand,
  ...slashCommands,
];

const words: EventWords = {
  ...messageWords,
  ...deliveryWords,
  ...claimWords,
  ...agentWords,
  ...sessionWords,
  ...approvalWords,
  ...approvalRuleWords,
  ...taskWords,
  ...pairWords,
  ...channelWords,
  ...tokenWords,
  ...hookWords,
  ...reservationWords,
};

/** One event of the log as a line for people; `null` for what only machines want to see, and for one that is newer than this program. */
export function describeEvent(event: RelayEvent): string | null {
  // Its entry is made for events of its type.
  const say = (words as Readonly<Record<string, ((event: never) => string | null) | undefined>>)[event.type];
  const text = say?.(event as never) ?? null;
  return text === null ? null : `${clockTime(event.at)}  ${text}`;
}
