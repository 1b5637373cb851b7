import type { Hold, HoldStatus } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Page } from '../../domain/change.ts';
import type { Decision, Done, Facts, ReleaseFacts } from '../../domain/facts.ts';
import { recordCharacters } from '../../domain/page.ts';
import type { HoldQuery, HoldStore } from '../hold-store.ts';

import type { SqliteContext } from './context.ts';
import { toHold } from './hold-table.ts';
import { NewestFirst } from './newest-first.ts';
import { RowsByStatus } from './rows-by-status.ts';

export class SqliteHolds implements HoldStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[string, number], { readonly record: string }>;
  readonly #numbered: Statement<[number], { readonly record: string }>;
  readonly #list: NewestFirst;
  readonly #byStatus: RowsByStatus<HoldStatus>;
  readonly #openBefore: Statement<[number, number], { readonly workspace: string; readonly id: number }>;
  readonly #prune: Statement<[number, number]>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader, database } = context;
    this.#get = reader.prepare('SELECT record FROM holds WHERE workspace = ? AND id = ?');
    this.#numbered = reader.prepare('SELECT record FROM holds WHERE id = ?');
    this.#byStatus = new RowsByStatus(reader, { table: 'holds', statuses: ['held', 'released', 'refused'], owner: 'sender' });
    this.#list = new NewestFirst(reader, context.scanTurns, {
      table: 'holds',
      id: 'id',
      matches: '(@sender IS NULL OR sender = @sender) AND (@status IS NULL OR status = @status)',
      indexed: { sender: 'sender = @sender' },
    });
    this.#openBefore = reader.prepare("SELECT workspace, id FROM holds WHERE status = 'held' AND held_at < ? ORDER BY held_at LIMIT ?");
    this.#prune = database.prepare('DELETE FROM holds WHERE id IN (SELECT id FROM holds WHERE decided_at < ? ORDER BY decided_at LIMIT ?)');
  }

  async get(workspace: string, id: number): Promise<Hold | null> {
    const row = this.#get.get(workspace, id);
    return row ? toHold(row) : null;
  }

  async count({ workspace, status, from }: Parameters<HoldStore['count']>[0]) {
    return { counts: this.#byStatus.counts({ workspace, status, owner: from }), cursor: this.#context.log.head };
  }

  async list({ workspace, status, from, before, limit, caller }: HoldQuery): Promise<Page<Hold>> {
    const page = await this.#list.page(
      { workspace, status: status ?? null, sender: from ?? null },
      { before, limit, caller, get: (id) => this.#numbered.get(id), charactersOf: recordCharacters, toItem: toHold },
    );
    return { ...page, cursor: this.#context.log.head };
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
