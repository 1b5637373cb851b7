import type { RelayClient } from 'agent-relay-client';
import { type InboxItem, OWNER_AGENT_ID, RelayError } from 'agent-relay-protocol';
import { backoffDelays, sleep } from 'agent-relay-wire';
import type { Command } from 'commander';
import { agentOfSession } from './current-agent.ts';
import { describeMessage } from './describe-message.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';

interface InboxOptions extends RelayOptions {
  readonly agent: string;
  readonly wait?: true;
  readonly ack?: true;
  readonly json?: true;
}

/** The longest the relay lets one call wait; a longer wait is several. */
const WAIT_MS = 45_000;

export const inboxCommand = (terminal: Terminal): Command =>
  relayCommand('inbox')
    .description('Show the waiting mail of an agent, or your own')
    .option('--agent <id>', 'whose mail', agentOfSession(terminal.env) ?? OWNER_AGENT_ID)
    .option('--wait', 'wait until there is some')
    .option('--ack', 'take it: what was shown leaves the inbox')
    .option('--json', 'one JSON object a line')
    .action(async ({ agent, wait, ack, json, ...options }: InboxOptions) => {
      await withRelay(options, terminal, async (client) => {
        const items = await read(client, { id: agent, isWaiting: wait ?? false, isTaking: ack ?? false }, terminal.signal);
        for (const item of items) terminal.out(json ? JSON.stringify(item) : describeMessage(item.message));
        if (items.length === 0) terminal.note('No messages.');
        if (ack && items.length > 0) await client.inbox.ack({ id: agent, ids: items.map(({ message }) => message.id) });
      });
    });

interface Reading {
  readonly id: string;
  readonly isWaiting: boolean;
  readonly isTaking: boolean;
}

async function read(client: RelayClient, { id, isWaiting, isTaking }: Reading, signal: AbortSignal): Promise<readonly InboxItem[]> {
  const delays = backoffDelays({ maxMs: 5_000 });
  for (;;) {
    try {
      const { data } = await client.inbox.list({ id, peek: !isTaking, ...(isWaiting ? { waitMs: WAIT_MS } : {}) }, { signal });
      if (data.length > 0 || !isWaiting) return data;
    } catch (error) {
      // Whoever waits waits through a restart of the relay too.
      if (!isWaiting || signal.aborted || !(error instanceof RelayError) || error.code !== 'connection_closed') throw error;
      await sleep(delays.next().value, { signal });
    }
  }
}
