import type { AgentEvent, Session } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import { MAX_USAGE, usageAddedBy } from '../../domain/usage.ts';

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
    const sums = countedUsage.map((name) => `${name} = MIN(${name} + excluded.${name}, ${MAX_USAGE})`);
    this.#add = database.prepare(
      `INSERT INTO usage (${names.join(', ')}) VALUES (${names.map((name) => `@${name}`).join(', ')})
       ON CONFLICT (workspace, day, agent_id, provider, model) DO UPDATE SET ${sums.join(', ')}`,
    );
  }

  note(workspace: string, session: Session, event: AgentEvent, now: number): void {
    const used = usageAddedBy(session, event, now);
    if (used === null) return;
    this.#add.run({
      workspace,
      day: used.day,
      agent_id: used.agentId,
      provider: used.provider,
      model: used.model ?? '',
      turns: used.turns,
      input_tokens: used.inputTokens,
      output_tokens: used.outputTokens,
      cached_input_tokens: used.cachedInputTokens,
      reasoning_tokens: used.reasoningTokens,
      cost_usd: used.costUsd,
    });
  }
}
