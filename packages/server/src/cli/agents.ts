import { listAll, type RelayClient } from 'agent-relay-client';
import { type Agent, MAX_PAGE_SIZE, RelayError } from 'agent-relay-protocol';
import { Command } from 'commander';
import { requirePerson } from './current-agent.ts';
import { type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { dayAndTime, oneLine, type Terminal, table } from './terminal.ts';

interface AgentsOptions extends RelayOptions {
  readonly all?: true;
  readonly json?: true;
}

/** `agent-relay agents [list|remove]`. */
export const agentsCommand = (terminal: Terminal): Command =>
  withDefault(new Command('agents'), listCommand(terminal))
    .description('The agents: list them, take one out')
    .addCommand(removeCommand(terminal));

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
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
          noteStalled(shown, terminal);
          await noteSteered(client, terminal);
        }
        noteOthers({ shown: shown.length, away: all ? 0 : data.filter(isAway).length }, terminal);
      });
    });

const removeCommand = (terminal: Terminal): Command =>
  relayCommand('remove')
    .description('Take an agent out: what a machine runs of it ends, mail that waits for it fails, and its senders are told')
    .argument('<agent>', "the agent's id")
    .addHelpText(
      'after',
      '\nA session that no machine of the relay runs, such as one you hold yourself, registers again: end it where it runs.',
    )
    .action(async (id: string, options: RelayOptions) => {
      requirePerson(terminal);
      await withRelay(options, terminal, async (client) => {
        const { failedMessages: lost } = await client.agents.remove({ id }, { signal: terminal.signal });
        const mail = lost === 0 ? '' : `; ${lost} ${lost === 1 ? 'message' : 'messages'} that waited for it failed`;
        terminal.out(`${id} is removed${mail}`);
      });
    });

/** What mail wakes can be written to as what runs. */
const isThere = ({ status, kind, wake }: Agent): boolean => (status !== 'offline' || wake !== undefined) && kind !== 'system';
const isAway = (agent: Agent): boolean => !isThere(agent) && agent.kind !== 'system';

function noteStalled(agents: readonly Agent[], { note }: Pick<Terminal, 'note'>): void {
  for (const { id, stalled } of agents)
    if (stalled) note(`${id} has stalled since ${dayAndTime(stalled.since)}: ${oneLine(stalled.detail, 300)}`);
}

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

/** How an agent stands. */
export const presenceWords = ({ status, stalled, wake }: Pick<Agent, 'status' | 'stalled' | 'wake'>): string =>
  [status, ...(stalled === undefined ? [] : ['stalled']), ...(wake === undefined ? [] : ['wakes on mail'])].join(', ');

const heading = ['ID', 'STATUS', 'PROVIDER', 'LABEL', 'TAGS', 'CAPABILITIES'];
const row = ({ id, provider, label, tags, capabilities, ...agent }: Agent): string[] => [
  id,
  presenceWords(agent),
  provider ?? '-',
  label === null ? '-' : oneLine(label, 40),
  tags.join(',') || '-',
  capabilities.join(',') || '-',
];
