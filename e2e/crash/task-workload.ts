import { type HeldClaim, RelayError, ReportedEventSchema, type Task } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import type { Report, TaskHistories, TaskStep } from './history.ts';
import { type Access, Persistent, RETRY_MS } from './persistent.ts';
import { choose, type Random } from './seeded.ts';

/** The shortest there is, so that leases run out while the relay is down and while it is up. */
const LEASE_MS = 1_000;
const PAGE = 1_000;

export interface TaskWorkloadOptions extends Access {
  /** The integration that reports. */
  readonly reporter: { readonly url: string; readonly token: string; readonly name: string };
  readonly reporters: number;
  readonly agents: number;
  readonly keys: number;
  readonly random: Random;
}

export interface TaskWorkload {
  readonly counts: () => { readonly reports: number; readonly claims: number; readonly endings: number };
  /** Stops making work, lets leases run out and callbacks arrive, and hands over what the clients saw. */
  finish(): Promise<TaskHistories>;
}

/** An integration that reports over HTTP, and agents that take its tasks, work on them, end them, give them back or forget them. */
export async function startTaskWorkload(options: TaskWorkloadOptions): Promise<TaskWorkload> {
  const { reporter, reporters, agents, keys, random } = options;
  const access = { url: options.url, token: options.token };
  const reports: Report[] = [];
  const steps: TaskStep[] = [];
  let isRunning = true;
  const control = new Persistent(access);
  const names = Array.from({ length: agents }, (_, index) => `worker${index}`);
  for (const name of names) await control.call('agents/register', { name, tags: ['ops'], instanceId: `${name}-1` });

  const runReporter = async () => {
    while (isRunning) {
      const dedupeKey = random() < 0.05 ? null : `key${Math.floor(random() * keys)}`;
      const status = dedupeKey !== null && random() < 0.05 ? 'resolved' : 'open';
      const event: ReportedThing = { title: 'disk full', status, ...(dedupeKey === null ? {} : { dedupeKey }) };
      const isKeyed = random() < 0.5;
      const answer = isKeyed ? await reportUntilAnswered(reporter, event) : await report(reporter, event);
      reports.push({ dedupeKey, status, answer });
      await sleep(RETRY_MS);
    }
  };

  const runAgent = async (name: string) => {
    const client = new Persistent(access);
    while (isRunning) {
      const { data } = await client.call<{ data: Task[] }>('tasks/list', { status: 'open', limit: 4 });
      if (data.length === 0) await sleep(RETRY_MS);
      for (const { id } of data) {
        const claim = await client.attempt<HeldClaim>('tasks/claim', { id, agentId: name, leaseMs: LEASE_MS });
        if (claim?.status !== 'held') continue;
        steps.push({ step: 'claimed', taskId: id, agentId: name, fence: claim.fence, claimId: claim.claimId });
        const ending = await work(client, claim, random, () => isRunning);
        if (ending !== null) steps.push({ step: 'ended', taskId: id, agentId: name, fence: claim.fence, status: ending });
      }
    }
    await client.stop();
  };

  const loops = Promise.all([...Array.from({ length: reporters }, runReporter), ...names.map(runAgent)]);
  loops.catch(() => {}); // told by finish()
  return {
    counts: () => ({
      reports: reports.filter(({ answer }) => answer !== null).length,
      claims: steps.filter(({ step }) => step === 'claimed').length,
      endings: steps.filter(({ step }) => step === 'ended').length,
    }),
    async finish() {
      isRunning = false;
      await loops;
      await settled(control);
      const left = await everyTask(control);
      const offered = new Set<number>();
      for (const { id, endedAt } of left) if (endedAt === null && (await isClaimable(control, id))) offered.add(id);
      await control.stop();
      return { reports, steps, left, offered };
    },
  };
}

/** What an agent does with a task it has claimed; the status it was told that the task ended with, if it was. */
async function work(client: Persistent, claim: HeldClaim, random: Random, isRunning: () => boolean): Promise<'done' | 'failed' | null> {
  const { subjectId: id, claimId, fence, agentId } = claim;
  const say = (status: string, more: object = {}) => client.attempt<Task>('tasks/status', { id, agentId, fence, status, ...more });
  const complete = () => client.attempt('claims/complete', { id: claimId, fence, agentId, result: agentId });
  switch (choose(random, { complete: 4, fail: 1, report: 3, giveBack: 1, forget: 1 })) {
    case 'complete':
      return (await complete()) === null ? null : 'done';
    case 'fail':
      return (await say('failed', { result: 'no access' })) === null ? null : 'failed';
    case 'report': {
      await client.attempt('claims/progress', { id: claimId, fence, agentId, progress: { percent: Math.floor(random() * 100) } });
      await say('blocked');
      await say('in_progress', { progress: 'going on' });
      return (await say('done', { result: agentId })) === null ? null : 'done';
    }
    case 'giveBack':
      await say('open');
      return null;
    case 'forget': {
      // Until after the lease, and then it writes as if nothing had happened.
      for (let waitedMs = 0; waitedMs < LEASE_MS * 1.2 && isRunning(); waitedMs += 50) await sleep(50);
      return (await complete()) === null ? null : 'done';
    }
  }
}

interface ReportedThing {
  readonly title: string;
  readonly status: 'open' | 'resolved';
  readonly dedupeKey?: string;
  readonly idempotencyKey?: string;
}

/** One report, however many requests it takes. */
async function reportUntilAnswered(reporter: TaskWorkloadOptions['reporter'], event: ReportedThing): Promise<Report['answer']> {
  const idempotencyKey = crypto.randomUUID();
  for (;;) {
    const answer = await report(reporter, { ...event, idempotencyKey });
    if (answer !== null) return answer;
    await sleep(RETRY_MS);
  }
}

/** One request; null when its connection was lost. */
async function report({ url, token }: TaskWorkloadOptions['reporter'], event: ReportedThing): Promise<Report['answer']> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(`${url}/api/integrations/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...event, target: 'tag:ops' }),
    });
    body = await response.json();
  } catch {
    return null;
  }
  if (response.status === 503) return null;
  if (!response.ok) throw new RelayError('internal', `A report was answered with ${response.status}: ${JSON.stringify(body)}`);
  return ReportedEventSchema.parse(body);
}

/** Nobody holds a task any more, and every callback has been taken. */
async function settled(control: Persistent): Promise<void> {
  const deadline = Date.now() + 60_000;
  const isSettled = async () => {
    const { data: waiting } = await control.call<{ data: unknown[] }>('callbacks/list', { status: 'pending', limit: 1 });
    const { data: active } = await control.call<{ data: Task[] }>('tasks/list', { status: 'active', limit: PAGE });
    return waiting.length === 0 && active.every(({ status }) => status === 'open');
  };
  while (!(await isSettled()) && Date.now() < deadline) await sleep(50);
}

async function everyTask(control: Persistent): Promise<readonly Task[]> {
  const tasks: Task[] = [];
  for (let before: number | undefined; ; before = tasks.at(-1)?.id) {
    const page = await control.call<{ data: Task[] }>('tasks/list', { limit: PAGE, ...(before === undefined ? {} : { before }) });
    tasks.push(...page.data);
    if (page.data.length < PAGE) return tasks;
  }
}

async function isClaimable(control: Persistent, id: number): Promise<boolean> {
  try {
    return (await control.call<{ claimable: boolean }>('messages/get', { id })).claimable;
  } catch (error) {
    if (error instanceof RelayError && error.code === 'not_found') return false;
    throw error;
  }
}
