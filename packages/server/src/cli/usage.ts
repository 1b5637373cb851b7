import { listAll } from 'agent-relay-client';
import { DaySchema, type UsageDay } from 'agent-relay-protocol';
import { type Command, InvalidArgumentError } from 'commander';
import { type RelayOptions, relayCommand, withRelay } from './relay-access.ts';
import { oneLine, type Terminal, table } from './terminal.ts';

interface UsageOptions extends RelayOptions {
  readonly agent?: string;
  readonly since?: string;
  readonly until?: string;
  readonly json?: true;
}

export const usageCommand = (terminal: Terminal): Command =>
  relayCommand('usage')
    .description('What agents used: turns, tokens and cost by day, agent and model')
    .option('--agent <id>', 'only this agent')
    .option('--since <day>', 'this day and later ones, as 2026-01-31', parseDay)
    .option('--until <day>', 'this day and earlier ones', parseDay)
    .option('--json', 'one JSON object a line')
    .action(async ({ agent, since, until, json, ...options }: UsageOptions) => {
      await withRelay(options, terminal, async (client) => {
        const query = { ...(agent && { agent }), ...(since && { since }), ...(until && { until }) };
        const { data } = await listAll(client.usage.list, query, { signal: terminal.signal });
        if (json) for (const day of data) terminal.out(JSON.stringify(day));
        else if (data.length > 0) for (const line of table([heading, ...data.map(row), totalOf(data)])) terminal.out(line);
        if (data.length === 0) terminal.note('Nothing was used, or no vendor said so.');
      });
    });

function parseDay(text: string): string {
  if (!DaySchema.safeParse(text).success) throw new InvalidArgumentError('Say a day, as 2026-01-31.');
  return text;
}

const heading = ['DAY', 'AGENT', 'MODEL', 'TURNS', 'INPUT', 'CACHED', 'OUTPUT', 'USD'];
const row = (used: UsageDay): string[] => [
  used.day,
  oneLine(used.agentId, 60),
  oneLine(used.model ?? used.provider, 60),
  String(used.turns),
  String(used.inputTokens),
  String(used.cachedInputTokens),
  String(used.outputTokens),
  used.costUsd === 0 ? '' : used.costUsd.toFixed(2),
];

function totalOf(days: readonly UsageDay[]): string[] {
  const sum = (of: (day: UsageDay) => number) => days.reduce((total, day) => total + of(day), 0);
  return [
    'total',
    '',
    '',
    String(sum(({ turns }) => turns)),
    String(sum(({ inputTokens }) => inputTokens)),
    String(sum(({ cachedInputTokens }) => cachedInputTokens)),
    String(sum(({ outputTokens }) => outputTokens)),
    sum(({ costUsd }) => costUsd).toFixed(2),
  ];
}
