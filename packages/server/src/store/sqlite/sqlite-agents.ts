import type { AgentFacts, Decision, Done, RemovalFacts } from '../../domain/facts.ts';
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

  change<Answer>(workspace: string, id: string, decide: (facts: AgentFacts) => Decision<Answer>): Promise<Done<Answer>> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => changes.carryOut(workspace, decide(facts.ofAgent(workspace, id))));
  }

  remove<Answer>(
    workspace: string,
    id: string,
    { after, limit }: MailWindow,
    decide: (facts: RemovalFacts) => Decision<Answer>,
  ): Promise<{ readonly answer: Answer; readonly through: number; readonly isLast: boolean }> {
    const { writer, changes, log, index, facts } = this.#context;
    return writer.write(() => {
      const entry = index.find(workspace, id);
      const { items, through } = entry ? this.#waiting.list(entry, { after, limit, head: log.last }) : { items: [], through: log.last };
      const isLast = through >= log.last;
      const hasBindings = changes.tables.channels.isBound(workspace, id);
      const { answer } = changes.carryOut(workspace, decide({ ...facts.ofAgent(workspace, id), waiting: items, isLast, hasBindings }));
      return { answer, through, isLast };
    });
  }
}
