import { listAll, type RelayClient } from 'agent-relay-client';
import { type Agent, MAX_PAGE_SIZE, RelayError } from 'agent-relay-protocol';
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
        else if (shown.length > 0) {
          for (const line of table([heading, ...shown.map(row)])) terminal.out(line);
          await noteSteered(client, terminal);
        }
        noteOthers({ shown: shown.length, away: all ? 0 : data.filter(isAway).length }, terminal);
      });
    });

/** What mail wakes can be written to as what runs. */
const isThere = ({ status, kind, wake }: Agent): boolean => (status !== 'offline' || wake !== undefined) && kind !== 'system';
const isAway = (agent: Agent): boolean => !isThere(agent) && agent.kind !== 'system';

/** Whom several steer; nothing for a caller who may not read sessions. */
async function noteSteered(client: RelayClient, { note, signal }: Pick<Terminal, 'note' | 'signal'>): Promise<void> {
  try {
    const { data } = await client.sessions.list({ status: 'running', limit: MAX_PAGE_SIZE }, { signal });
    for (const { agentId, controllers = [] } of data)
      if (controllers.length > 1) note(`${agentId} is steered by ${controllers.map(({ by }) => oneLine(by)).join(', ')}.`);
  } catch (error) {
    if (!(error instanceof RelayError) || !isRefused(error)) throw error;
  }
}

const isRefused = ({ code }: RelayError): boolean => code === 'forbidden' || code === 'forbidden_scope' || code === 'unsupported';

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
