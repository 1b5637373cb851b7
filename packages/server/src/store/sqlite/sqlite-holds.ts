import type { Hold } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { Decision, Done, Facts, ReleaseFacts } from '../../domain/facts.ts';
import { recordCharacters, takePage } from '../../domain/page.ts';
import type { HoldQuery, HoldStore } from '../hold-store.ts';

import type { SqliteContext } from './context.ts';
import { toHold } from './hold-table.ts';

interface Filter {
  readonly workspace: string;
  readonly status: string | null;
  readonly sender: string | null;
  readonly before: number;
  readonly limit: number;
}

export class SqliteHolds implements HoldStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[string, number], { readonly record: string }>;
  readonly #list: Statement<[Filter], { readonly record: string }>;
  readonly #openBefore: Statement<[number, number], { readonly workspace: string; readonly id: number }>;
  readonly #prune: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    this.#get = reader.prepare('SELECT record FROM holds WHERE workspace = ? AND id = ?');
    this.#list = reader.prepare(
      `SELECT record FROM holds WHERE workspace = @workspace AND id < @before AND (@status IS NULL OR status = @status)
       AND (@sender IS NULL OR sender = @sender) ORDER BY id DESC LIMIT @limit`,
    );
    this.#openBefore = reader.prepare("SELECT workspace, id FROM holds WHERE status = 'held' AND held_at < ? ORDER BY held_at LIMIT ?");
    this.#prune = database.prepare('DELETE FROM holds WHERE id IN (SELECT id FROM holds WHERE decided_at < ? ORDER BY decided_at LIMIT ?)');
  }

  async get(workspace: string, id: number): Promise<Hold | null> {
    const row = this.#get.get(workspace, id);
    return row ? toHold(row) : null;
  }

  async list({ workspace, status, from, before = Number.MAX_SAFE_INTEGER, limit }: HoldQuery): Promise<Page<Hold>> {
    const filter = { workspace, status: status ?? null, sender: from ?? null, before, limit: limit + 1 };
    const { rows, isCut } = takePage(this.#list.iterate(filter), limit, recordCharacters);
    const items = rows.map(toHold);
    return { items, cursor: this.#context.log.head, next: isCut ? (items.at(-1)?.id ?? null) : null };
  }

  change<Answer>(workspace: string, id: number, decide: (hold: Hold | null, facts: Facts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const hold = changes.tables.holds.find(workspace, id)?.hold ?? null;
      return changes.carryOut(workspace, decide(hold, facts.of(workspace))).answer;
    });
  }

  release<Answer>(workspace: string, id: number, decide: (facts: ReleaseFacts) => Decision<Answer>): Promise<Done<Answer>> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const { hold = null, key = null } = changes.tables.holds.find(workspace, id) ?? {};
      const replied = facts.replied(workspace, hold?.message.replyTo ?? null, hold?.message.from ?? '');
      return changes.carryOut(workspace, decide({ ...facts.of(workspace), ...replied, hold, key }));
    });
  }

  async openBefore(before: number, limit: number): Promise<readonly { readonly workspace: string; readonly id: number }[]> {
    return this.#openBefore.all(before, limit);
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#context.writer.write(() => this.#prune.run(before, limit).changes);
  }
}
