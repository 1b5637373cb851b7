import type { Agent, HeldClaim } from 'agent-relay-protocol';
import type { AgentFound, Change, DeliveryFound } from '../../domain/change.ts';
import type { AgentStore, MailWindow } from '../store.ts';
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
    { after, limit }: MailWindow,
    decide: (found: AgentFound, waiting: readonly DeliveryFound[], isLast: boolean) => Change,
  ): Promise<{ readonly through: number; readonly isLast: boolean }> {
    const { writer, changes, log, index } = this.#context;
    return writer.write(() => {
      const entry = index.find(workspace, id);
      const { items, through } = entry ? this.#waiting.list(entry, after, limit, log.last) : { items: [], through: log.last };
      const isLast = through >= log.last;
      changes.apply(workspace, decide(this.#find(workspace, id), items, isLast));
      return { through, isLast };
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
}
