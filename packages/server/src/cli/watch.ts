import type { RelayClient } from 'agent-relay-client';
import { type ActivityEntry, type ActivityWatchers, type AgentEvent, messageOf, RelayError, type RelayEvent } from 'agent-relay-protocol';
import type { Command } from 'commander';
import { comeBack } from '../domain/session-end.ts';
import { describeActivity } from './describe-activity.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal } from './terminal.ts';

interface WatchOptions extends RelayOptions {
  readonly agent?: string;
  readonly json?: true;
}

/** An event as a line for people, `null` for none. */
type Describe = (event: RelayEvent) => string | null;

export const watchCommand = (terminal: Terminal, describe: Describe): Command =>
  relayCommand('watch')
    .description('Show live what happens on the relay, and what its agents do')
    .option('--agent <id>', 'only what concerns this agent')
    .option('--json', 'one JSON object a line')
    .action(async ({ agent, json, ...options }: WatchOptions) => {
      await withRelay(options, terminal, async (client) => {
        // An id that nobody has would be silence for ever.
        if (agent !== undefined) await client.agents.get({ id: agent }, { signal: terminal.signal });
        await watch({ client, terminal, agent, describe: json ? null : describe });
      });
    });

interface Watching {
  readonly client: RelayClient;
  readonly terminal: Terminal;
  readonly agent: string | undefined;
  /** Null where machines read. */
  readonly describe: Describe | null;
}

async function watch({ client, terminal, agent, describe }: Watching): Promise<void> {
  const { signal } = terminal;
  // The cursor first: what happens while the sessions are listed comes as an event and is not missed.
  const { cursor } = await client.messages.cursor({}, { signal });
  const followed = new Followed(client, terminal, describe === null);
  const { data } = await client.sessions.list({ status: 'running', ...(agent && { agent }) }, { signal });
  for (const session of data) followed.add(session.agentId);
  terminal.note('Watching; Ctrl-C ends it.');
  const onReset = () => terminal.note('The relay has a new log; going on from its end.');
  const onConnection = connectionNotes(terminal);
  for await (const event of client.events({ after: cursor, ...(agent && { for: agent }), signal, onReset, onConnection })) {
    const line = describe?.(event) ?? null;
    if (describe === null) terminal.out(JSON.stringify(event));
    else if (line !== null) terminal.out(`${line}${await wayBack(event, client, signal)}`);
    const started = startedAgent(event);
    if (started !== null) followed.add(started);
  }
}

/** How an agent that failed is started again as it was; nothing for one whose card cannot be read any more. */
async function wayBack(event: RelayEvent, client: RelayClient, signal: AbortSignal): Promise<string> {
  if (event.type !== 'session.ended' || event.session.status !== 'failed') return '';
  try {
    const card = await client.agents.get({ id: event.session.agentId }, { signal });
    return `. ${comeBack(event.session, card)}`;
  } catch (error) {
    if (error instanceof RelayError) return '';
    throw error;
  }
}

/** Says once that the relay is away, and once that it is back. */
function connectionNotes({ note }: Terminal): (state: 'connected' | 'lost') => void {
  let isAway = false;
  return (state) => {
    if (isAway === (state === 'lost')) return;
    isAway = state === 'lost';
    note(isAway ? 'The relay is away; waiting for it.' : 'The relay is back.');
  };
}

/** What the relay's log says in a line of its own; mail too, beside its receipts. */
const toldByLog: ReadonlySet<AgentEvent['type']> = new Set(['session.started', 'session.ended', 'approval.requested', 'approval.resolved']);

function describeBesideLog(entry: ActivityEntry): string | null {
  const { event } = entry;
  const isMail = event.type === 'user.message' && (event.messageIds?.length ?? 0) > 0;
  return isMail || toldByLog.has(event.type) ? null : describeActivity(entry);
}

function watchersLine(agentId: string, { watchers, more }: ActivityWatchers): string {
  const names = [...watchers.map(({ by }) => oneLine(by)), ...(more === 0 ? [] : [`${more} more`])];
  return names.length === 0 ? `${agentId}: nobody else watches it now.` : `${agentId}: also watched by ${names.join(', ')}.`;
}

const startedAgent = (event: RelayEvent): string | null => (event.type === 'session.started' ? event.session.agentId : null);

/** The agents whose activity is shown, each once however often it is started. */
class Followed {
  readonly #client: RelayClient;
  readonly #terminal: Terminal;
  readonly #isJson: boolean;
  readonly #agents = new Set<string>();

  constructor(client: RelayClient, terminal: Terminal, isJson: boolean) {
    this.#client = client;
    this.#terminal = terminal;
    this.#isJson = isJson;
  }

  add(agentId: string): void {
    if (this.#agents.has(agentId)) return;
    this.#agents.add(agentId);
    void this.#follow(agentId);
  }

  async #follow(agentId: string): Promise<void> {
    try {
      const onWatchers = (others: ActivityWatchers) => this.#terminal.note(watchersLine(agentId, others));
      for await (const entry of this.#client.activity(agentId, { signal: this.#terminal.signal, onWatchers })) {
        const line = this.#isJson ? JSON.stringify(entry) : describeBesideLog(entry);
        if (line !== null) this.#terminal.out(line);
      }
    } catch (error) {
      if (!this.#terminal.signal.aborted) this.#terminal.note(`${agentId}: ${messageOf(error)}`);
    } finally {
      this.#agents.delete(agentId);
    }
  }
}
