import { RelayError, type RunRecord } from 'agent-relay-protocol';
import type { Difference } from './difference.ts';
import { namedIn } from './named-in.ts';
import { ApprovalPlayer } from './play-approvals.ts';
import { MessagePlayer } from './play-messages.ts';
import { acceptedAtOf, PairPlayer } from './play-pairs.ts';
import { ReservationPlayer, reservationOverAt } from './play-reservations.ts';
import { RulePlayer, ruleOverAt } from './play-rules.ts';
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
  readonly pairs: number;
  readonly reservations: number;
  readonly rules: number;
  readonly differences: readonly Difference[];
}

/**
 * Plays a recorded run to a relay: agents that stand for the run's are registered when those were, say what those said and report what those reported;
 * tasks are reported again, claimed, worked on and ended by who did, pairs made and ended, files reserved and given back, and what agents asked people is
 * asked and answered as it was, by the relay itself where standing rules and reservations did.
 * What the relay makes of it is compared with the run: who receives what and how far, who may take what, how each of these ends. Other activity is not played, nor what the relay itself said. @throws RelayError `name_taken` before anything is said, where the relay knows somebody whom the run names
 * or reaches; what a lost connection says.
 */
export async function replayRun(records: readonly RunRecord[], options: ReplayOptions): Promise<Replayed> {
  const [run] = records;
  if (run?.type !== 'run') throw new RelayError('validation_failed', 'A recorded run begins with who took part in it');
  const asked = records.flatMap((record) => (record.type === 'approval' ? [record.approval] : []));
  const askers = new Set(asked.map(({ agentId }) => agentId));
  const stage = new Stage({ agents: run.agents, askers }, options);
  const messages = new MessagePlayer(stage, saidOtherwise(records));
  const work = new WorkPlayer(stage, messages);
  const approvals = new ApprovalPlayer(stage, answerersIn(records));
  const pairs = new PairPlayer(stage, messages);
  const reservations = new ReservationPlayer(stage);
  const rules = new RulePlayer(stage, asked);
  await stage.assertFresh(namedIn(records));
  for (const { play } of scenesOf(records, { messages, work, approvals, pairs, reservations, rules })) await play();
  await messages.compare(records.flatMap((record) => (record.type === 'receipt' ? [record.receipt] : [])));
  await work.compare();
  for (const player of [approvals, pairs, reservations]) await player.compare();
  return {
    ...{ messages: messages.count, tasks: work.taskCount, claims: work.claimCount, approvals: approvals.count },
    ...{ pairs: pairs.count, reservations: reservations.count, rules: rules.count, differences: stage.differences },
  };
}

function saidOtherwise(records: readonly RunRecord[]) {
  const offers = new Set(records.flatMap((record) => (record.type === 'task' ? [record.task.id] : [])));
  const done = records.flatMap((record) =>
    record.type === 'claim' && record.claim.status === 'completed' ? [record.claim.subjectId] : [],
  );
  const pairs = new Set(records.flatMap((record) => (record.type === 'pair' ? [record.pair.id] : [])));
  return { offers, finished: new Set([...offers, ...done]), pairs };
}

/** Those of the run's rules and reservations, as `by` of a question names them. */
function answerersIn(records: readonly RunRecord[]): ReadonlySet<string> {
  return new Set(
    records.flatMap((record) => {
      if (record.type === 'rule') return [`rule:${record.rule.id}`];
      return record.type === 'reservation' ? [`reservation:${record.reservation.id}`] : [];
    }),
  );
}

interface Players {
  readonly messages: MessagePlayer;
  readonly work: WorkPlayer;
  readonly approvals: ApprovalPlayer;
  readonly pairs: PairPlayer;
  readonly reservations: ReservationPlayer;
  readonly rules: RulePlayer;
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

function scenesIn(record: RunRecord, players: Players): readonly Scene[] {
  const { messages, work, approvals } = players;
  switch (record.type) {
    case 'task': {
      const steps = record.history.map((event) => ({ at: event.at, rank: 3, play: () => work.step(record, event) }));
      return [{ at: record.at, rank: 0, play: () => work.open(record) }, ...steps];
    }
    case 'message':
      return [{ at: record.at, rank: 2, play: () => messages.say(record.message) }];
    case 'claim': {
      const { claim } = record;
      const endedAt = claim.status === 'held' ? claim.claimedAt : claim.endedAt;
      return [
        { at: claim.claimedAt, rank: 3, play: () => work.take(claim) },
        { at: endedAt, rank: 4, play: () => work.finish(claim) },
      ];
    }
    case 'approval': {
      const { approval } = record;
      return [
        { at: approval.requestedAt, rank: 3, play: () => approvals.ask(approval) },
        { at: approval.resolvedAt ?? approval.requestedAt, rank: 4, play: () => approvals.answer(approval) },
      ];
    }
    case 'receipt':
      return [{ at: record.at, rank: 5, play: () => messages.report(record.receipt) }];
    case 'pair':
    case 'reservation':
    case 'rule':
      return termScenes(record, players);
    case 'run':
    case 'activity':
      return [];
  }
}

function termScenes(
  record: Extract<RunRecord, { readonly type: 'pair' | 'reservation' | 'rule' }>,
  { pairs, reservations, rules }: Players,
): readonly Scene[] {
  switch (record.type) {
    case 'pair': {
      const { pair } = record;
      return [
        { at: pair.requestedAt, rank: 0, play: () => pairs.invite(pair) },
        ...sceneAt(acceptedAtOf(pair), { rank: 1, play: () => pairs.accept(pair) }),
        ...sceneAt('endedAt' in pair ? pair.endedAt : null, { rank: 4, play: () => pairs.finish(pair) }),
      ];
    }
    case 'reservation': {
      const { reservation } = record;
      const overAt = reservationOverAt(reservation);
      return [
        { at: reservation.createdAt, rank: 1, play: () => reservations.reserve(reservation) },
        // Whoever waited for the files reserves them in the same millisecond.
        ...sceneAt(overAt, { rank: overAt === reservation.createdAt ? 4 : 0, play: () => reservations.giveBack(reservation) }),
      ];
    }
    case 'rule': {
      const { rule } = record;
      return [
        { at: rule.createdAt, rank: 0, play: () => rules.give(rule) },
        ...sceneAt(ruleOverAt(rule), { rank: 4, play: () => rules.takeAway(rule) }),
      ];
    }
  }
}

const sceneAt = (at: number | null, scene: Omit<Scene, 'at'>): readonly Scene[] => (at === null ? [] : [{ at, ...scene }]);
