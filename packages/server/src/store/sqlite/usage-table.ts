import type { AgentEvent, Session } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';

export interface UsageRow {
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

export const countedUsage = ['turns', 'input_tokens', 'output_tokens', 'cached_input_tokens', 'reasoning_tokens', 'cost_usd'] as const;

/** Inside the writer: adds what a turn used to its day. */
export class UsageTable {
  readonly #add: Statement<[UsageRow & { readonly workspace: string }]>;

  constructor(database: Database) {
    const names = ['workspace', 'day', 'agent_id', 'provider', 'model', ...countedUsage];
    const sums = countedUsage.map((name) => `${name} = MIN(${name} + excluded.${name}, ${Number.MAX_SAFE_INTEGER})`);
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
      input_tokens: capped(inputTokens),
      output_tokens: capped(outputTokens),
      cached_input_tokens: capped(cachedInputTokens),
      reasoning_tokens: capped(reasoningTokens),
      cost_usd: capped(costUsd),
    });
  }
}

/** What days add up stays a number that JSON can say, whatever a vendor reports. */
const capped = (count: number): number => Math.min(count, Number.MAX_SAFE_INTEGER);
