import { listAll } from 'agent-relay-client';
import type { Agent } from 'agent-relay-protocol';
import type { Command } from 'commander';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal, table } from './terminal.ts';

interface AgentsOptions extends RelayOptions {
  readonly all?: true;
  readonly json?: true;
}

export const agentsCommand = (terminal: Terminal): Command =>
  relayCommand('agents')
    .description('List the agents')
    .option('--all', 'also those that are offline')
    .option('--json', 'one JSON object a line')
    .action(async ({ all, json, ...options }: AgentsOptions) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await listAll(client.agents.list, {}, { signal: terminal.signal });
        const shown = all ? data : data.filter(({ status, kind }) => status !== 'offline' && kind !== 'system');
        if (json) for (const agent of shown) terminal.out(JSON.stringify(agent));
        else if (shown.length > 0) for (const line of table([heading, ...shown.map(row)])) terminal.out(line);
        if (shown.length === 0) terminal.note(all ? 'No agents.' : 'No agent is online; --all lists the others.');
      });
    });

const heading = ['ID', 'STATUS', 'PROVIDER', 'LABEL', 'TAGS', 'CAPABILITIES'];
const row = ({ id, status, provider, label, tags, capabilities }: Agent): string[] => [
  id,
  status,
  provider ?? '-',
  label === null ? '-' : oneLine(label, 40),
  tags.join(',') || '-',
  capabilities.join(',') || '-',
];
