import { RelayError, type RunRecord } from 'agent-relay-protocol';
import type { Difference } from './difference.ts';
import { namedIn } from './named-in.ts';
import { ApprovalPlayer } from './play-approvals.ts';
import { MessagePlayer } from './play-messages.ts';
import { WorkPlayer } from './play-work.ts';
import { Stage, type StageOptions } from './stage.ts';

export type ReplayOptions = StageOptions;

/** How much was played, and where it came out otherwise. */
export interface Replayed {
  readonly messages: number;
  readonly tasks: number;
  /** Of messages that are no tasks. */
  readonly claims: number;
  readonly approvals: number;
  readonly differences: readonly Difference[];
}

/**
 * Plays a recorded run to a relay: agents that stand for the run's are registered when those were, say what those said and report what those reported;
 * tasks are reported again, claimed, worked on and ended by who did, and what agents asked people is asked and answered as it was.
 * What the relay makes of it is compared with the run: who receives what and how far, who may take what, how tasks and questions end. Other activity is
 * not played, nor what the relay itself said. @throws RelayError `name_taken` before anything is said, where the relay knows somebody whom the run names
 * or reaches; what a lost connection says.
 */
export async function replayRun(records: readonly RunRecord[], options: ReplayOptions): Promise<Replayed> {
  const [run] = records;
  if (run?.type !== 'run') throw new RelayError('validation_failed', 'A recorded run begins with who took part in it');
  const askers = new Set(records.flatMap((record) => (record.type === 'approval' ? [record.approval.agentId] : [])));
  const stage = new Stage({ agents: run.agents, askers }, options);
  const messages = new MessagePlayer(stage, saidOtherwise(records));
  const work = new WorkPlayer(stage, messages);
  const approvals = new ApprovalPlayer(stage);
  await stage.assertFresh(namedIn(records));
  for (const { play } of scenesOf(records, { messages, work, approvals })) await play();
  await messages.compare(records.flatMap((record) => (record.type === 'receipt' ? [record.receipt] : [])));
  await work.compare();
  await approvals.compare();
  const { taskCount: tasks, claimCount: claims } = work;
  return { messages: messages.count, tasks, claims, approvals: approvals.count, differences: stage.differences };
}

function saidOtherwise(records: readonly RunRecord[]) {
  const offers = new Set(records.flatMap((record) => (record.type === 'task' ? [record.task.id] : [])));
  const done = records.flatMap((record) =>
    record.type === 'claim' && record.claim.status === 'completed' ? [record.claim.subjectId] : [],
  );
  return { offers, finished: new Set([...offers, ...done]) };
}

interface Players {
  readonly messages: MessagePlayer;
  readonly work: WorkPlayer;
  readonly approvals: ApprovalPlayer;
}

interface Scene {
  readonly at: number;
  /** Of what happened in one millisecond the lowest comes first. */
  readonly rank: number;
  readonly play: () => Promise<void>;
}

/** What happened, in the order of time: a line that tells of something's end as well is played at both times. */
function scenesOf(records: readonly RunRecord[], players: Players): readonly Scene[] {
  const scenes = records.flatMap((record) => scenesIn(record, players));
  return scenes.sort((one, other) => one.at - other.at || one.rank - other.rank);
}

function scenesIn(record: RunRecord, { messages, work, approvals }: Players): readonly Scene[] {
  switch (record.type) {
    case 'task': {
      const steps = record.history.map((event) => ({ at: event.at, rank: 2, play: () => work.step(record, event) }));
      return [{ at: record.at, rank: 0, play: () => work.open(record) }, ...steps];
    }
    case 'message':
      return [{ at: record.at, rank: 1, play: () => messages.say(record.message) }];
    case 'claim': {
      const { claim } = record;
      const endedAt = claim.status === 'held' ? claim.claimedAt : claim.endedAt;
      return [
        { at: claim.claimedAt, rank: 2, play: () => work.take(claim) },
        { at: endedAt, rank: 3, play: () => work.finish(claim) },
      ];
    }
    case 'approval': {
      const { approval } = record;
      return [
        { at: approval.requestedAt, rank: 2, play: () => approvals.ask(approval) },
        { at: approval.resolvedAt ?? approval.requestedAt, rank: 3, play: () => approvals.answer(approval) },
      ];
    }
    case 'receipt':
      return [{ at: record.at, rank: 4, play: () => messages.report(record.receipt) }];
    case 'run':
    case 'activity':
      return [];
  }
}
