import type { Node } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Decision } from '../../domain/facts.ts';
import type { NodeFacts } from '../../domain/node-lifecycle.ts';
import type { NodeStore } from '../node-store.ts';
import type { SqliteContext } from './context.ts';
import { type NodeRow, toNode } from './node-table.ts';

export class SqliteNodes implements NodeStore {
  readonly #context: SqliteContext;
  readonly #get: Statement<[string, string], NodeRow>;
  readonly #list: Statement<[string], NodeRow>;
  readonly #online: Statement<[], NodeRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { reader } = context;
    this.#get = reader.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? AND node_id = ?');
    this.#list = reader.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? ORDER BY name, node_id');
    this.#online = reader.prepare("SELECT workspace, record FROM nodes WHERE status = 'online'");
  }

  change<Answer>(workspace: string, nodeId: string, decide: (facts: NodeFacts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    const { nodes, tokens } = changes.tables;
    return writer.write(() => {
      const shown: NodeFacts = {
        ...facts.of(workspace),
        node: nodes.get(workspace, nodeId),
        names: () => nodes.names(workspace),
        tokens: () => tokens.ofNode(workspace, nodeId),
      };
      return changes.carryOut(workspace, decide(shown)).answer;
    });
  }

  async get(workspace: string, nodeId: string): Promise<Node | null> {
    return toNode(this.#get.get(workspace, nodeId));
  }

  async list(workspace: string): Promise<readonly Node[]> {
    return this.#list.all(workspace).flatMap((row) => toNode(row) ?? []);
  }

  async online(): Promise<readonly { readonly workspace: string; readonly node: Node }[]> {
    return this.#online.all().flatMap((row) => {
      const node = toNode(row);
      return node === null ? [] : [{ workspace: row.workspace, node }];
    });
  }
}
