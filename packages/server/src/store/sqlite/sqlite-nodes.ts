import { type Node, NodeSchema } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { NodeChange, NodeDecision, NodeFacts } from '../../domain/node-lifecycle.ts';
import type { NodeStore } from '../node-store.ts';
import type { SqliteContext } from './context.ts';
import { recordReader } from './record-reader.ts';

const readNode = recordReader(NodeSchema);

interface NodeRow {
  readonly workspace: string;
  readonly record: string;
}

export class SqliteNodes implements NodeStore {
  readonly #context: SqliteContext;
  readonly #put: Statement<[string, string, string, string, string]>;
  readonly #remove: Statement<[string, string]>;
  /** As this turn left them, before its commit. */
  readonly #current: Statement<[string, string], NodeRow>;
  readonly #names: Statement<[string], string>;
  readonly #get: Statement<[string, string], NodeRow>;
  readonly #list: Statement<[string], NodeRow>;
  readonly #online: Statement<[], NodeRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database, reader } = context;
    this.#put = database.prepare('INSERT OR REPLACE INTO nodes (workspace, node_id, name, status, record) VALUES (?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM nodes WHERE workspace = ? AND node_id = ?');
    this.#current = database.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? AND node_id = ?');
    this.#names = database.prepare<[string], string>('SELECT name FROM nodes WHERE workspace = ?').pluck();
    this.#get = reader.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? AND node_id = ?');
    this.#list = reader.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? ORDER BY name, node_id');
    this.#online = reader.prepare("SELECT workspace, record FROM nodes WHERE status = 'online'");
  }

  change<Answer>(workspace: string, nodeId: string, decide: (facts: NodeFacts) => NodeDecision<Answer>): Promise<Answer> {
    const { writer, changes } = this.#context;
    const { tokens } = changes.tables;
    return writer.write(() => {
      const node = toNode(this.#current.get(workspace, nodeId));
      const names = () => this.#names.all(workspace);
      const { answer, change } = decide({ node, names, tokens: () => tokens.ofNode(workspace, nodeId) });
      if (change) this.#carryOut(workspace, nodeId, change);
      if (node && change?.node && change.node.name !== node.name) tokens.nameNode(workspace, nodeId, change.node.name);
      return answer;
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

  #carryOut(workspace: string, nodeId: string, { node, token, events }: NodeChange): void {
    const { changes, log } = this.#context;
    const { tokens } = changes.tables;
    if (node) this.#put.run(workspace, nodeId, node.name, node.status, JSON.stringify(node));
    else {
      this.#remove.run(workspace, nodeId);
      tokens.removeOfNode(workspace, nodeId);
    }
    if (token) tokens.put(token);
    for (const event of events) log.append(workspace, event);
  }
}

const toNode = (row: NodeRow | undefined): Node | null => (row === undefined ? null : readNode(row.record));
