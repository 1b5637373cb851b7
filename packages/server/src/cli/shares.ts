import { listAll } from 'agent-relay-client';
import type { Share } from 'agent-relay-protocol';
import { isLoopbackHost } from 'agent-relay-wire/node';
import { Command } from 'commander';
import { programName } from './program-name.ts';
import { type RelayOptions, relayCommand, withDefault, withRelay } from './relay-access.ts';
import { dayAndTime, oneLine, type Terminal, table } from './terminal.ts';
import { parseDuration } from './time.ts';

interface ShareOptions extends RelayOptions {
  readonly session?: string;
  readonly expires?: number;
  readonly json?: true;
}

export const shareCommand = (terminal: Terminal): Command =>
  relayCommand('share')
    .description("Print a link that shows one session's log to whoever has it, and nothing else")
    .argument('<agent>', "the agent's id")
    .option('--session <id>', 'which of its sessions (default: the latest)')
    .option('--expires <duration>', 'how long the link is good, e.g. 12h or 30d (default: 7d)', parseDuration)
    .option('--json', 'everything about it as one JSON object')
    .action(async (agent: string, { session, expires, json, ...options }: ShareOptions) => {
      await withRelay(options, terminal, async (client, url) => {
        const made = await client.shares.create(
          { agentId: agent, ...(session !== undefined && { sessionId: session }), ...(expires !== undefined && { expiresInMs: expires }) },
          { signal: terminal.signal },
        );
        if (json) return terminal.out(JSON.stringify({ ...made, url: `${url}${made.path}` }));
        terminal.out(`${url}${made.path}`);
        terminal.note(
          `It shows all that ${agent} was told, read and did in that session, until ${dayAndTime(made.expiresAt)}. To end it: ${programName(terminal.env)} shares revoke ${made.id}`,
        );
        if (isLoopbackHost(new URL(url).hostname))
          terminal.note(
            'The address leads there on this machine only. For somebody elsewhere put in one under which they reach the relay.',
          );
      });
    });

/** `agent-relay shares list|revoke`. */
export const sharesCommand = (terminal: Terminal): Command =>
  withDefault(new Command('shares'), listCommand(terminal))
    .description("Links to sessions' logs: list, revoke")
    .addCommand(revokeCommand(terminal));

const listCommand = (terminal: Terminal): Command =>
  relayCommand('list')
    .description('List the links that are good now')
    .option('--agent <id>', "only those to this agent's sessions")
    .option('--json', 'one JSON object a line')
    .action(async ({ agent, json, ...options }: RelayOptions & { agent?: string; json?: true }) => {
      await withRelay(options, terminal, async (client) => {
        const { data } = await listAll(client.shares.list, agent === undefined ? {} : { agent });
        if (json) for (const share of data) terminal.out(JSON.stringify(share));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row)])) terminal.out(line);
        if (data.length === 0) terminal.note('No links.');
      });
    });

const revokeCommand = (terminal: Terminal): Command =>
  relayCommand('revoke')
    .description('End a link at once')
    .argument('<id>', 'the id that `shares list` shows')
    .action(async (id: string, options: RelayOptions) => {
      await withRelay(options, terminal, async (client) => {
        await client.shares.revoke({ id }, { signal: terminal.signal });
        terminal.out(`${id} is revoked`);
      });
    });

const heading = ['ID', 'AGENT', 'SESSION', 'MADE BY', 'EXPIRES'];
const row = ({ id, agentId, sessionId, createdBy, expiresAt }: Share): string[] => [
  id,
  agentId,
  sessionId,
  createdBy === null ? '-' : oneLine(createdBy, 40),
  dayAndTime(expiresAt),
];
