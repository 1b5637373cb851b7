import type { RelayClient } from 'agent-relay-client';
import { type Searched, SearchedSchema, type SearchHit, type Snippet } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError } from 'commander';
import { CommandFailure, type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { dayAndTime, oneLine, printable, type Terminal } from './terminal.ts';
import { readTime } from './time.ts';

interface Narrowed extends RelayOptions {
  readonly agent?: string;
  readonly since?: number;
  readonly until?: number;
  readonly limit: number;
  readonly json?: true;
}

interface SearchOptions extends Narrowed {
  readonly in?: Searched;
  readonly session?: string;
  readonly type?: string;
  readonly tool?: string;
  readonly file?: string;
}

/** The most that one request answers. */
const PAGE = 200;

export const searchCommand = (terminal: Terminal): Command =>
  narrowed(relayCommand('search'))
    .description('Find what was said and done by its words, newest first')
    .argument('[words...]', 'words that all occur; quote a phrase twice: \'"build error"\'; after -- a -word does not occur')
    .option('--in <what>', 'messages or activity (default: both)', parseSearched)
    .option('--session <id>', 'what one session did')
    .option('--type <type>', 'of what an agent did, as file.changed; of a message, as task')
    .option('--tool <name>', 'calls of one tool')
    .option('--file <path>', 'changes of a file: its path, or some names of it')
    .action(async (words: readonly string[], options: SearchOptions) => {
      const { in: only, session, type, tool, file } = options;
      const [ofActivity] = Object.entries({ session, tool, file }).flatMap(([name, said]) => (said === undefined ? [] : [name]));
      if (only === 'messages' && ofActivity !== undefined)
        throw new CommandFailure(`error: --${ofActivity} is of what agents did, and --in messages leaves that out`, 2);
      const text = words.join(' ');
      const query = {
        ...(text !== '' && { text }),
        ...(only && { in: only }),
        ...(session && { session }),
        ...(type && { type }),
        ...(tool && { tool }),
        ...(file && { file }),
      };
      await find(terminal, options, query, (hit) => [lineOf(hit)]);
    });

export const filesCommand = (terminal: Terminal): Command =>
  narrowed(relayCommand('files'))
    .description('Show who changed which file, newest first')
    .argument('[path]', 'the file: its path, or some names of it')
    .action(async (file: string | undefined, options: Narrowed) => {
      const query = { in: 'activity' as const, type: 'file.changed', ...(file && { file }) };
      await find(terminal, options, query, changesIn);
    });

const narrowed = (command: Command): Command =>
  command
    .option('--agent <id>', 'said or done by it, or said to it')
    .option('--since <time>', 'today, yesterday, a date, or how long ago: 30m, 2h, 7d', readTime)
    .option('--until <time>', 'as --since', readTime)
    .option('--limit <count>', 'at most so many', parseLimit, 50)
    .option('--json', 'one JSON object a line');

type Query = Omit<NonNullable<Parameters<RelayClient['search']['find']>[0]>, 'limit' | 'before' | 'agent' | 'sinceAt' | 'untilAt'>;

async function find(terminal: Terminal, options: Narrowed, query: Query, linesOf: (hit: SearchHit) => readonly string[]): Promise<void> {
  const { agent, since, until, limit, json, ...access } = options;
  const asked = { ...query, ...(agent && { agent }), ...(since && { sinceAt: since }), ...(until && { untilAt: until }) };
  await withRelay(access, terminal, async (client) => {
    let found = 0;
    let missing = 0;
    for (let before: string | undefined, isFirst = true; (isFirst || before !== undefined) && found < limit; isFirst = false) {
      const request = { ...asked, limit: Math.min(PAGE, limit - found), ...(before !== undefined && { before }) };
      const page = await client.search.find(request, { signal: terminal.signal });
      for (const hit of page.data) for (const line of json ? [JSON.stringify(hit)] : linesOf(hit)) terminal.out(line);
      found += page.data.length;
      missing = page.behind;
      before = page.nextCursor;
    }
    if (found === 0) terminal.note('Nothing found.');
    if (missing > 0)
      terminal.note(`The newest ${missing}${missing >= 10_000 ? ' or more' : ''} cannot be found yet: the relay is still reading them.`);
  });
}

function lineOf(hit: SearchHit): string {
  const about =
    hit.in === 'messages'
      ? `[msg:${hit.id}] ${printable(hit.from)} → ${printable(hit.to)}`
      : `${printable(hit.agentId)} ${hit.tool === null ? printable(hit.type) : printable(hit.tool)}`;
  const said = marked(hit.snippet);
  return `${dayAndTime(hit.at)}  ${about}${said === '' ? '' : `: ${said}`}`;
}

const changesIn = (hit: SearchHit): readonly string[] =>
  hit.in === 'messages'
    ? []
    : hit.files.map(({ path, change }) => `${dayAndTime(hit.at)}  ${printable(hit.agentId)} ${printable(change)} ${printable(path)}`);

/** What was looked for in brackets: a terminal may have no colours, and what is found may be passed on. */
const marked = (snippet: Snippet): string => oneLine(snippet.map(({ text, isMatch }) => (isMatch ? `[${text}]` : text)).join(''), 240);

function parseSearched(text: string): Searched {
  const { data } = SearchedSchema.safeParse(text);
  if (data !== undefined) return data;
  throw new InvalidArgumentError('must be messages or activity');
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new InvalidArgumentError('must be a whole number from 1 to 10000');
  return limit;
}
