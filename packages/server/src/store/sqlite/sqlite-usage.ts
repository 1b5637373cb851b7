import { RelayError, type UsageDay } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { UsagePage, UsageQuery, UsageStore } from '../usage-store.ts';
import type { SqliteContext } from './context.ts';
import { countedUsage, type UsageRow } from './usage-table.ts';

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
      `SELECT day, agent_id, provider, model, ${countedUsage.join(', ')} FROM usage
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
