import type { RelayClient } from 'agent-relay-client';
import type { ActivityEntry, RouteOutput } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { shellWord } from '../domain/shell-word.ts';
import { describeActivity } from './describe-activity.ts';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import type { Terminal } from './terminal.ts';
import { readTime } from './time.ts';

interface LogsOptions extends RelayOptions {
  readonly limit: number;
  readonly all?: true;
  readonly follow?: true;
  readonly since?: number;
  readonly type?: string;
  readonly session?: string;
  readonly json?: true;
}

/** Few lines may stand behind many entries that are none. */
const SMALLEST_PAGE = 100;
const LARGEST_PAGE = 1_000;

export const logsCommand = (terminal: Terminal): Command =>
  relayCommand('logs')
    .description('Show what an agent did')
    .argument('<name>', "the agent's id")
    .addOption(new Option('--limit <count>', 'how many lines, the newest ones').argParser(parseLimit).default(200).conflicts('all'))
    .option('--all', 'every line, from the first on, instead')
    .option('--since <time>', 'nothing from before: today, yesterday, a date, or how long ago: 30m, 2h, 7d', readTime)
    .option('--type <type>', 'only of this type, as file.changed, or of all that begin so, as tool')
    .option('--session <id>', 'only what this session did')
    .option('--follow', 'go on with what it does now')
    .option('--json', 'one JSON object a line')
    .addHelpText('after', example)
    .action(async (name: string, { all, follow, ...options }: LogsOptions) => {
      const { limit, since, type, session, json, ...access } = options;
      const { signal } = terminal;
      const isWanted = wantedBy({ type, session });
      const lineOf = (entry: ActivityEntry) => (isWanted(entry) ? (json ? JSON.stringify(entry) : describeActivity(entry)) : null);
      const isNarrowed = [since, type, session].some((narrowing) => narrowing !== undefined);
      const wanted: Wanted = { limit, signal, session, since, isNarrowed, lineOf };
      await withRelay(access, terminal, async (client) => {
        const after = await (all ? tellAll : tellNewest)(client, name, { ...wanted, terminal });
        if (!follow) return;
        for await (const entry of client.activity(name, { after, signal })) {
          const line = entry.id > 0 || json ? lineOf(entry) : null;
          if (line !== null) terminal.out(line);
        }
      });
    });

const example = `
Example, one session as a file:
  agent-relay logs Worker --session SESSION --all --json > worker.ndjson`;

function wantedBy({ type, session }: { readonly type: string | undefined; readonly session: string | undefined }) {
  return ({ event, sessionId }: ActivityEntry): boolean =>
    (session === undefined || sessionId === session) && (type === undefined || event.type === type || event.type.startsWith(`${type}.`));
}

/** An agent whose process no machine of the relay holds tells nobody what it does. */
async function whyNothing(client: RelayClient, id: string, { signal, isNarrowed }: Pick<Wanted, 'signal' | 'isNarrowed'>): Promise<string> {
  const { data } = await client.sessions.list({ agent: id, limit: 1 }, { signal });
  if (data.length > 0) return isNarrowed ? 'Nothing of that.' : 'Nothing yet.';
  return `Nothing: no machine of this relay runs ${id}, so what it does is not told here. Its mail is: agent-relay inbox --agent ${shellWord(id)}`;
}

interface Wanted {
  readonly limit: number;
  readonly session: string | undefined;
  /** Unix milliseconds. */
  readonly since: number | undefined;
  readonly isNarrowed: boolean;
  /** `null`: nothing that is shown. */
  readonly lineOf: (entry: ActivityEntry) => string | null;
  readonly signal: AbortSignal;
}

/** The newest lines there are, oldest first, and the entry after which they go on. */
async function newestLines(client: RelayClient, id: string, { limit, since = 0, session, lineOf, signal }: Wanted) {
  const linesOf = (entries: readonly ActivityEntry[]) => entries.map((entry) => (entry.at < since ? null : lineOf(entry)));
  const asked = { id, limit: Math.max(limit, SMALLEST_PAGE), ...(session === undefined ? {} : { session }) };
  const { data, cursor, nextCursor } = await client.agents.activity({ ...asked, newest: true }, { signal });
  let lines = linesOf(data).filter((line) => line !== null);
  for (let before = nextCursor, isOver = hasEarlier(data, since); before !== undefined && lines.length < limit && !isOver; ) {
    const page = await client.agents.activity({ ...asked, before }, { signal });
    lines = [...linesOf(page.data).filter((line) => line !== null), ...lines];
    isOver = hasEarlier(page.data, since);
    before = page.nextCursor;
  }
  return { lines: lines.slice(-limit), after: data.at(-1)?.id ?? cursor };
}

/** Whether what stands before these is from before that time as well: what came late says nothing of it. */
const hasEarlier = (entries: readonly ActivityEntry[], since: number): boolean => entries.some(({ at, late }) => !late && at < since);

type Telling = Wanted & { readonly terminal: Pick<Terminal, 'out' | 'note'> };

/** Answers the entry after which they go on. */
async function tellNewest(client: RelayClient, id: string, { terminal, ...wanted }: Telling): Promise<number> {
  const { lines, after } = await newestLines(client, id, wanted);
  for (const line of lines) terminal.out(line);
  if (lines.length === 0) terminal.note(await whyNothing(client, id, wanted));
  return after;
}

/** Every line, page by page: a log may be larger than what can be held. */
async function tellAll(
  client: RelayClient,
  id: string,
  { since = 0, session, lineOf, signal, isNarrowed, terminal }: Telling,
): Promise<number> {
  let [isAny, last] = [false, 0];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const asked = { id, after, limit: LARGEST_PAGE, ...(session === undefined ? {} : { session }) };
    const page: RouteOutput<'agents/activity'> = await client.agents.activity(asked, { signal });
    for (const entry of page.data) {
      last = entry.id;
      const line = entry.at < since ? null : lineOf(entry);
      if (line === null) continue;
      isAny = true;
      terminal.out(line);
    }
    after = page.nextCursor;
  }
  if (!isAny) terminal.note(await whyNothing(client, id, { signal, isNarrowed }));
  return last;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) throw new InvalidArgumentError('must be a whole number from 1 to 1000');
  return limit;
}
