import type { RelayClient } from 'agent-relay-client';
import { type InboxItem, OWNER_AGENT_ID, RelayError, type RouteOutput } from 'agent-relay-protocol';
import { Pauses } from 'agent-relay-wire';
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
        let count = 0;
        for await (const items of pages(client, { id: agent, isWaiting: wait ?? false, isTaking: ack ?? false }, terminal.signal)) {
          for (const item of items) terminal.out(json ? JSON.stringify(item) : describeMessage(item.message));
          if (ack && items.length > 0) await client.inbox.ack({ id: agent, ids: items.map(({ message }) => message.id) });
          count += items.length;
        }
        if (count === 0) terminal.note('No messages.');
      });
    });

interface Reading {
  readonly id: string;
  readonly isWaiting: boolean;
  readonly isTaking: boolean;
  readonly after?: number | undefined;
}

/** Everything that waits, as the relay gives it: a page holds so many messages and so much text. What is taken is not there when the next is asked for. */
async function* pages(client: RelayClient, reading: Reading, signal: AbortSignal): AsyncGenerator<readonly InboxItem[]> {
  let page = await read(client, reading, signal);
  for (let shownThrough = 0; ; ) {
    const last = page.data.at(-1)?.message.id ?? 0;
    // What could not be taken is still there, and shown already.
    if (last <= shownThrough) return;
    yield page.data;
    shownThrough = last;
    if (!reading.isTaking && page.nextCursor === undefined) return;
    const after = reading.isTaking ? {} : { after: page.nextCursor };
    page = await read(client, { ...reading, ...after, isWaiting: false }, signal);
  }
}

async function read(
  client: RelayClient,
  { id, isWaiting, isTaking, after }: Reading,
  signal: AbortSignal,
): Promise<RouteOutput<'inbox/list'>> {
  const pauses = new Pauses({ maxMs: 5_000 });
  for (;;) {
    try {
      const wanted = { id, peek: !isTaking, ...(after === undefined ? {} : { after }), ...(isWaiting ? { waitMs: WAIT_MS } : {}) };
      const page = await client.inbox.list(wanted, { signal });
      if (page.data.length > 0 || !isWaiting) return page;
    } catch (error) {
      // Whoever waits waits through a restart of the relay too.
      if (!isWaiting || signal.aborted || !(error instanceof RelayError) || error.code !== 'connection_closed') throw error;
      await pauses.take({ signal });
    }
  }
}
