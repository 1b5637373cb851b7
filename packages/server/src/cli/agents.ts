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
        const shown = all ? data : data.filter(isThere);
        if (json) for (const agent of shown) terminal.out(JSON.stringify(agent));
        else if (shown.length > 0) for (const line of table([heading, ...shown.map(row)])) terminal.out(line);
        noteOthers({ shown: shown.length, away: all ? 0 : data.filter(isAway).length }, terminal);
      });
    });

/** What mail wakes can be written to as what runs. */
const isThere = ({ status, kind, wake }: Agent): boolean => (status !== 'offline' || wake !== undefined) && kind !== 'system';
const isAway = (agent: Agent): boolean => !isThere(agent) && agent.kind !== 'system';

function noteOthers({ shown, away }: { readonly shown: number; readonly away: number }, { note }: Pick<Terminal, 'note'>): void {
  if (shown === 0) note(away === 0 ? 'No agents.' : 'No agent is online.');
  if (away > 0) note(`${away} ${away === 1 ? 'is' : 'are'} offline; --all lists all.`);
}

const heading = ['ID', 'STATUS', 'PROVIDER', 'LABEL', 'TAGS', 'CAPABILITIES'];
const row = ({ id, status, wake, provider, label, tags, capabilities }: Agent): string[] => [
  id,
  wake === undefined ? status : `${status}, wakes on mail`,
  provider ?? '-',
  label === null ? '-' : oneLine(label, 40),
  tags.join(',') || '-',
  capabilities.join(',') || '-',
];
