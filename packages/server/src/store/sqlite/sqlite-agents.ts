import type { Agent, HeldClaim } from 'agent-relay-protocol';
import type { AgentFound, Change } from '../change.ts';
import type { AgentStore, DeliveryFound } from '../store.ts';
import type { SqliteContext } from './context.ts';
import { WaitingMail } from './waiting-mail.ts';

export class SqliteAgents implements AgentStore {
  readonly #context: SqliteContext;
  readonly #waiting: WaitingMail;

  constructor(context: SqliteContext) {
    this.#context = context;
    this.#waiting = new WaitingMail(context.database, context.openMail);
  }

  get index() {
    return this.#context.index;
  }

  change(workspace: string, id: string, decide: (found: AgentFound) => Change | null): Promise<{ readonly cursor: number }> {
    const { writer, changes, log } = this.#context;
    return writer.write(() => {
      const change = decide(this.#find(workspace, id));
      if (change) changes.apply(workspace, change);
      return { cursor: log.last };
    });
  }

  remove(
    workspace: string,
    id: string,
    decide: (found: AgentFound, waiting: readonly DeliveryFound[]) => Change,
  ): Promise<{ readonly cursor: number }> {
    const { writer, changes, log } = this.#context;
    return writer.write(() => {
      changes.apply(workspace, decide(this.#find(workspace, id), this.#allWaiting(workspace, id)));
      return { cursor: log.last };
    });
  }

  #find(workspace: string, id: string): AgentFound {
    const { index, changes } = this.#context;
    const entry = index.find(workspace, id);
    const agent: Agent | null = entry?.agent ?? null;
    const claims = agent ? changes.tables.claims.heldBy(workspace, id) : [];
    return {
      agent,
      epoch: entry?.epoch ?? 0,
      spawnedBy: entry?.spawnedBy ?? null,
      isBound: index.isBound(workspace, id),
      approval: entry?.approval ?? 'open',
      heldClaims: claims.filter((claim): claim is HeldClaim => claim.status === 'held'),
      pair: changes.tables.pairs.openOf(workspace, id),
    };
  }

  #allWaiting(workspace: string, id: string): readonly DeliveryFound[] {
    const { index, log } = this.#context;
    const entry = index.find(workspace, id);
    if (!entry) return [];
    const all: DeliveryFound[] = [];
    for (let after = 0; ; ) {
      const { items, through } = this.#waiting.list(entry, after, 1_000, log.last);
      all.push(...items);
      if (through >= log.last) return all;
      after = through;
    }
  }
}
