import { listAll } from 'agent-relay-client';
import type { WorkItem } from 'agent-relay-protocol';
import type { Command } from 'commander';
import { untilTime } from './claims.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal, table } from './terminal.ts';

interface WorkOptions extends RelayOptions {
  readonly for?: string;
  readonly held?: true;
  readonly json?: true;
}

export const workCommand = (terminal: Terminal): Command =>
  relayCommand('work')
    .description('List what is offered to whoever takes it, messages and tasks, oldest first')
    .option('--for <id>', 'only what this agent may take')
    .option('--held', 'also what somebody has taken, and until when')
    .option('--json', 'one JSON object a line')
    .action(async ({ for: agentId, held, json, ...options }: WorkOptions) => {
      await withRelay(options, terminal, async (client) => {
        const asked = { ...(agentId && { for: agentId }), ...(held && { held }), after: 0 };
        const { data: items } = await listAll(client.work.list, asked, { signal: terminal.signal });
        if (json) for (const item of items) terminal.out(JSON.stringify(item));
        else show(items, terminal);
        if (items.length === 0) terminal.note(held ? 'No work.' : 'No work is open; --held lists what somebody has.');
      });
    });

function show(items: readonly WorkItem[], { out, note }: Terminal): void {
  if (items.length === 0) return;
  for (const line of table([heading, ...items.map(row)])) out(line);
  note('Take one with: agent-relay claim NUMBER, or agent-relay task claim NUMBER');
}

const heading = ['WORK', 'FROM', 'OFFERED TO', 'HELD', 'WHAT'];

const row = (item: WorkItem): string[] => {
  const { message, claim } = item;
  const isTask = item.kind === 'task';
  return [
    `[${isTask ? 'task' : 'msg'}:${message.id}]`,
    message.from,
    message.to,
    claim?.status === 'held' ? `by ${claim.agentId} until ${untilTime(claim.leaseExpiresAt)}` : '-',
    oneLine(isTask ? item.task.title : message.body, 60),
  ];
};
