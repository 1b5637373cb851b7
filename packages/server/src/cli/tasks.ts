import {
  ListedTaskStatusSchema,
  NewTaskStatusSchema,
  type Task,
  type TaskEvent,
  type TaskStatus,
  TaskStatusSchema,
} from 'agent-relay-protocol';
import { Command, InvalidArgumentError } from 'commander';
import { describe as describeClaim, parseFence } from './claims.ts';
import { agentOfSession } from './current-agent.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { clockTime, oneLine, printable, type Terminal, table } from './terminal.ts';

interface ListOptions extends RelayOptions {
  readonly status?: TaskStatus | 'active';
  readonly source?: string;
  readonly target?: string;
  readonly limit?: number;
  readonly json?: true;
}

interface StatusOptions extends RelayOptions {
  readonly agent?: string;
  readonly fence?: number;
  readonly result?: string;
  readonly progress?: string;
}

export const tasksCommand = (terminal: Terminal): Command =>
  relayCommand('tasks')
    .description('List tasks, newest first')
    .option('--status <status>', 'open, claimed, in_progress, blocked, done, failed, canceled, or active', parseListedStatus)
    .option('--source <name>', 'only those of one integration or agent')
    .option('--target <address>', 'only those offered to this address')
    .option('--limit <number>', 'at most so many', parseTaskId)
    .option('--json', 'one JSON object a line')
    .action(async ({ status, source, target, limit, json, ...options }: ListOptions) => {
      const query = { ...(status && { status }), ...(source && { source }), ...(target && { target }), ...(limit && { limit }) };
      await withRelay(options, terminal, async (client) => {
        const { data } = await client.tasks.list(query, { signal: terminal.signal });
        if (json) for (const task of data) terminal.out(JSON.stringify(task));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row)])) terminal.out(line);
        if (data.length === 0) terminal.note('No tasks.');
      });
    });

export const taskCommand = (terminal: Terminal): Command =>
  new Command('task')
    .description('Claim a task, say how it stands, read its history')
    .addCommand(claimCommand(terminal))
    .addCommand(statusCommand(terminal))
    .addCommand(eventsCommand(terminal));

const actingAs = 'who acts (default: AGENT_RELAY_ID, else you)';

const claimCommand = (terminal: Terminal): Command =>
  relayCommand('claim')
    .description('Take a task; exactly one claimant wins')
    .argument('<task>', 'its number', parseTaskId)
    .option('--agent <id>', actingAs, agentOfSession(terminal.env))
    .action(async (id: number, { agent, ...options }: StatusOptions) => {
      await withRelay(options, terminal, async (client) => {
        terminal.out(describeClaim(await client.tasks.claim({ id, ...(agent && { agentId: agent }) }, { signal: terminal.signal })));
      });
    });

const statusCommand = (terminal: Terminal): Command =>
  relayCommand('status')
    .description('Say how a task stands: its holder at any time, you to end it')
    .argument('<task>', 'its number', parseTaskId)
    .argument('<status>', 'open (gives it back), in_progress, blocked, done, failed or canceled', parseNewStatus)
    .option('--agent <id>', actingAs, agentOfSession(terminal.env))
    .option('--fence <number>', 'the fence of the claim', parseFence)
    .option('--result <text>', 'what came out')
    .option('--progress <text>', 'how far it is')
    .action(async (id: number, status: Exclude<TaskStatus, 'claimed'>, { agent, fence, result, progress, ...options }: StatusOptions) => {
      const said = { ...(agent && { agentId: agent }), ...(fence && { fence }), ...(result && { result }), ...(progress && { progress }) };
      await withRelay(options, terminal, async (client) => {
        const task = await client.tasks.status({ id, status, ...said }, { signal: terminal.signal });
        terminal.out(`[task:${task.id}] ${task.status}: ${oneLine(task.title)}`);
      });
    });

const eventsCommand = (terminal: Terminal): Command =>
  relayCommand('events')
    .description("Show a task's history, oldest first")
    .argument('<task>', 'its number', parseTaskId)
    .option('--json', 'one JSON object a line')
    .action(async (id: number, { json, ...options }: ListOptions) => {
      await withRelay(options, terminal, async (client) => {
        for (let after: number | undefined = 0; after !== undefined; ) {
          const page: { data: TaskEvent[]; nextCursor?: number | undefined } = await client.tasks.events(
            { id, after },
            { signal: terminal.signal },
          );
          for (const event of page.data) terminal.out(json ? JSON.stringify(event) : describeEvent(event));
          after = page.nextCursor;
        }
      });
    });

const heading = ['ID', 'STATUS', 'SOURCE', 'TARGET', 'HOLDER', 'SEEN', 'TITLE'];
const row = (task: Task): string[] => [
  String(task.id),
  task.status,
  task.source,
  task.target,
  task.claimedBy ?? '-',
  `${task.occurrenceCount}×`,
  oneLine(task.title, 60),
];

function describeEvent({ at, lastAt, count, type, by, status, detail }: TaskEvent): string {
  const times = count === 1 ? '' : ` ${count} times until ${clockTime(lastAt)}`;
  const text = detail === null ? '' : `: ${oneLine(typeof detail === 'string' ? detail : JSON.stringify(detail), 120)}`;
  return `${clockTime(at)}  ${type}${times} by ${printable(by)} (${status})${text}`;
}

export function parseTaskId(text: string): number {
  if (!/^[1-9]\d{0,14}$/u.test(text)) throw new InvalidArgumentError('must be a number');
  return Number(text);
}

function parseListedStatus(text: string): string {
  const { data: status } = ListedTaskStatusSchema.safeParse(text);
  if (status !== undefined) return status;
  throw new InvalidArgumentError(`must be active or one of ${TaskStatusSchema.options.join(', ')}`);
}

function parseNewStatus(text: string): string {
  const { data: status } = NewTaskStatusSchema.safeParse(text);
  if (status !== undefined) return status;
  throw new InvalidArgumentError('must be open, in_progress, blocked, done, failed or canceled');
}
