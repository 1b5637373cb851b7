import { type AgentEvent, RelayError, type Session, type UsageDay } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { UsagePage, UsageQuery, UsageStore } from '../usage-store.ts';
import type { SqliteContext } from './context.ts';

interface UsageRow {
  readonly day: string;
  readonly agent_id: string;
  readonly provider: string;
  readonly model: string;
  readonly turns: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_input_tokens: number;
  readonly reasoning_tokens: number;
  readonly cost_usd: number;
}

const counted = ['turns', 'input_tokens', 'output_tokens', 'cached_input_tokens', 'reasoning_tokens', 'cost_usd'] as const;

/** Inside the writer: adds what a turn used to its day. */
export class UsageTable {
  readonly #add: Statement<[UsageRow & { readonly workspace: string }]>;

  constructor(database: Database) {
    const names = ['workspace', 'day', 'agent_id', 'provider', 'model', ...counted];
    const sums = counted.map((name) => `${name} = ${name} + excluded.${name}`);
    this.#add = database.prepare(
      `INSERT INTO usage (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})
       ON CONFLICT (workspace, day, agent_id, provider, model) DO UPDATE SET ${sums.join(', ')}`,
    );
  }

  /** A turn ends with what all of it used; what came in between is part of that. `now`: days are the relay's, whatever a machine's clock says. */
  note(workspace: string, { agentId, provider, model }: Session, event: AgentEvent, now: number): void {
    if (event.type !== 'turn.completed' || !event.usage) return;
    const { inputTokens, outputTokens, cachedInputTokens = 0, reasoningTokens = 0, costUsd = 0 } = event.usage;
    this.#add.run({
      workspace,
      day: new Date(now).toISOString().slice(0, 10),
      agent_id: agentId,
      provider,
      model: model ?? '',
      turns: 1,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      cached_input_tokens: cachedInputTokens,
      reasoning_tokens: reasoningTokens,
      cost_usd: costUsd,
    });
  }
}

type Filter = {
  readonly workspace: string;
  readonly agent: string | null;
  readonly since: string;
  readonly until: string;
  readonly limit: number;
} & Place;

interface Place {
  readonly day: string;
  readonly agentId: string;
  readonly provider: string;
  readonly model: string;
}

const FIRST: Place = { day: '', agentId: '', provider: '', model: '' };

export class SqliteUsage implements UsageStore {
  readonly #context: SqliteContext;
  readonly #list: Statement<[Filter], UsageRow>;
  readonly #prune: Statement<[string]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    this.#list = context.reader.prepare(
      `SELECT day, agent_id, provider, model, ${counted.join(', ')} FROM usage
       WHERE workspace = @workspace AND day >= @since AND day <= @until AND (@agent IS NULL OR agent_id = @agent)
       AND (day, agent_id, provider, model) > (@day, @agentId, @provider, @model) ORDER BY day, agent_id, provider, model LIMIT @limit`,
    );
    this.#prune = context.database.prepare('DELETE FROM usage WHERE day < ?');
  }

  async list({ workspace, agent, since = '', until = '9999-99-99', after, limit }: UsageQuery): Promise<UsagePage> {
    const place = after === undefined ? FIRST : placeOf(after);
    const rows = this.#list.all({ workspace, agent: agent ?? null, since, until, ...place, limit: limit + 1 });
    const items = rows.slice(0, limit).map(toDay);
    const last = items.at(-1);
    return { items, cursor: this.#context.log.head, next: rows.length > limit && last ? cursorOf(last) : null };
  }

  prune(day: string): Promise<number> {
    return this.#context.writer.write(() => this.#prune.run(day).changes);
  }
}

const toDay = (row: UsageRow): UsageDay => ({
  day: row.day,
  agentId: row.agent_id,
  provider: row.provider,
  model: row.model === '' ? null : row.model,
  turns: row.turns,
  inputTokens: row.input_tokens,
  outputTokens: row.output_tokens,
  cachedInputTokens: row.cached_input_tokens,
  reasoningTokens: row.reasoning_tokens,
  costUsd: row.cost_usd,
});

const cursorOf = ({ day, agentId, provider, model }: UsageDay): string =>
  Buffer.from(JSON.stringify([day, agentId, provider, model ?? ''])).toString('base64url');

function placeOf(cursor: string): Place {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(read) && read.length === 4 && read.every((part) => typeof part === 'string')) {
      const [day = '', agentId = '', provider = '', model = ''] = read;
      return { day, agentId, provider, model };
    }
  } catch {
    // No cursor of ours.
  }
  throw new RelayError('validation_failed', 'after: is no cursor of this list', {
    issues: [{ path: 'after', message: 'is no cursor of this list' }],
  });
}
