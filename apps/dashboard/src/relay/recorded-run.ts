import { RelayError } from 'agent-relay-client';
import type { SaidMessage } from './talk.ts';

/** Of what `agent-relay record` writes. The client's own reader would come with the first page. */
const READS_VERSION = 3;

/** Something that was done in a run beside being said: with a task, a claim, a question, a pair, a reservation or a rule. */
export interface RunStep {
  readonly at: number;
  readonly agentId: string;
  readonly words: string;
}

/** What a recorded run shows. */
export interface ShownRun {
  readonly said: readonly SaidMessage[];
  /** In the order of time. */
  readonly steps: readonly RunStep[];
}

type Fields = Readonly<Record<string, unknown>>;

/** What was said and done in a recorded run. @throws RelayError `validation_failed` naming the line that is wrong, `unsupported`. */
export function readShownRun(text: string): ShownRun {
  const lines = text.split('\n').map(parsed);
  const [first] = lines;
  if (first?.['type'] !== 'run') throw wrongLine(1, 'This is no recorded run');
  const version = first['version'];
  if (typeof version !== 'number' || version > READS_VERSION)
    throw new RelayError('unsupported', 'This run is of a version that this page does not read');
  const read = <Item>(type: string, of: (line: Fields) => readonly Item[] | null) =>
    lines.flatMap((line, index) => {
      if (line?.['type'] !== type) return [];
      const items = of(line);
      if (items === null) throw wrongLine(index + 1, `It is no ${type} of a run`);
      return items;
    });
  const steps = [
    ...[...read('task', taskSteps), ...read('claim', claimSteps), ...read('approval', approvalSteps)],
    ...[...read('pair', pairSteps), ...read('reservation', reservationSteps), ...read('rule', ruleSteps)],
  ];
  return { said: read('message', saidIn), steps: steps.sort((one, other) => one.at - other.at) };
}

function saidIn({ message }: Fields): readonly SaidMessage[] | null {
  const { from, to, createdAt } = Object(message);
  return typeof from === 'string' && typeof to === 'string' && isTime(createdAt) ? [{ from, to, createdAt }] : null;
}

const taskWords: Readonly<Record<string, string>> = {
  'task.created': 'reports',
  'task.repeated': 'reports again',
  'task.claimed': 'takes',
  'task.updated': 'is at work on',
  'task.released': 'gives back',
  'task.completed': 'has done',
  'task.failed': 'has failed at',
  'task.canceled': 'cancels',
};

function taskSteps({ task, history }: Fields): readonly RunStep[] | null {
  const { id, title } = Object(task);
  if (typeof id !== 'number' || typeof title !== 'string' || !Array.isArray(history)) return null;
  const steps = history.map((event: unknown) => {
    const { type, at, by } = Object(event);
    if (typeof type !== 'string' || typeof by !== 'string' || !isTime(at)) return null;
    return { at, agentId: by, words: `${taskWords[type] ?? type} task ${id}, ${title}` };
  });
  return whole(steps);
}

const claimWords: Readonly<Record<string, string>> = { completed: 'has done', expired: 'has lost', released: 'gives back' };

function claimSteps({ claim }: Fields): readonly RunStep[] | null {
  const { agentId, claimedAt, subjectId, status, endedAt } = Object(claim);
  if (typeof agentId !== 'string' || typeof subjectId !== 'number' || typeof status !== 'string' || !isTime(claimedAt)) return null;
  const taken = { at: claimedAt, agentId, words: `takes message ${subjectId}` };
  if (status === 'held') return [taken];
  return isTime(endedAt) ? [taken, { at: endedAt, agentId, words: `${claimWords[status] ?? status} message ${subjectId}` }] : null;
}

const answerWords: Readonly<Record<string, string>> = { allowed: 'is allowed', denied: 'is denied', cancelled: 'asks no more' };

function approvalSteps({ approval }: Fields): readonly RunStep[] | null {
  const { agentId, title, requestedAt, status, resolvedAt } = Object(approval);
  if (typeof agentId !== 'string' || typeof title !== 'string' || typeof status !== 'string' || !isTime(requestedAt)) return null;
  const asked = { at: requestedAt, agentId, words: `asks a person: ${title}` };
  if (status === 'pending') return [asked];
  return isTime(resolvedAt) ? [asked, { at: resolvedAt, agentId, words: `${answerWords[status] ?? status}: ${title}` }] : null;
}

const pairEndWords: Readonly<Record<string, string>> = { rejected: 'declines', ended: 'ends' };

function pairSteps({ pair }: Fields): readonly RunStep[] | null {
  const { id, requester, target, status, requestedAt, acceptedAt, endedAt, endedBy } = Object(pair);
  if (typeof id !== 'number' || typeof requester !== 'string' || typeof target !== 'string' || !isTime(requestedAt)) return null;
  const who = typeof endedBy === 'string' ? endedBy : target;
  return [
    { at: requestedAt, agentId: requester, words: `invites ${target} to pair ${id}` },
    ...(isTime(acceptedAt) ? [{ at: acceptedAt, agentId: target, words: `accepts pair ${id}` }] : []),
    ...(isTime(endedAt) ? [{ at: endedAt, agentId: who, words: `${pairEndWords[String(status)] ?? 'ends'} pair ${id}` }] : []),
  ];
}

function reservationSteps({ reservation }: Fields): readonly RunStep[] | null {
  const { agentId, folder, patterns, createdAt, endedAt } = Object(reservation);
  if (typeof agentId !== 'string' || typeof folder !== 'string' || !Array.isArray(patterns) || !isTime(createdAt)) return null;
  const files = `${patterns.map(String).join(', ')} in ${folder}`;
  const made = { at: createdAt, agentId, words: `reserves ${files}` };
  return isTime(endedAt) ? [made, { at: endedAt, agentId, words: `has ${files} no longer` }] : [made];
}

/** It is the agent's, or that of all with a tag, that may do what a person allowed. */
function ruleSteps({ rule }: Fields): readonly RunStep[] | null {
  const { agent, tag, name, createdAt, endedAt } = Object(rule);
  const agentId = typeof agent === 'string' ? agent : typeof tag === 'string' ? `tag:${tag}` : null;
  if (agentId === null || typeof name !== 'string' || !isTime(createdAt)) return null;
  const given = { at: createdAt, agentId, words: `may from now on: ${name}` };
  return isTime(endedAt) ? [given, { at: endedAt, agentId, words: `may no longer: ${name}` }] : [given];
}

const whole = (steps: readonly (RunStep | null)[]): readonly RunStep[] | null => {
  const told = steps.filter((step) => step !== null);
  return told.length === steps.length ? told : null;
};

/** One that a date can tell. */
const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && !Number.isNaN(new Date(value).valueOf());

function parsed(line: string, index: number): Fields | null {
  if (line.trim() === '') return null;
  try {
    return Object(JSON.parse(line));
  } catch {
    throw wrongLine(index + 1, 'It is no JSON');
  }
}

const wrongLine = (number: number, message: string): RelayError => new RelayError('validation_failed', `line ${number}: ${message}`);
