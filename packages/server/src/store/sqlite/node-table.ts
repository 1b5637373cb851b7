import { type Node, NodeSchema } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { NodeWrite } from '../../domain/change.ts';
import { recordReader } from './record-reader.ts';

const readNode = recordReader(NodeSchema);

export interface NodeRow {
  readonly workspace: string;
  readonly record: string;
}

/** Machines; inside `writer.write` only. */
export class NodeTable {
  readonly #put: Statement<[string, string, string, string, string]>;
  readonly #remove: Statement<[string, string]>;
  readonly #get: Statement<[string, string], NodeRow>;
  readonly #names: Statement<[string], string>;

  constructor(database: Database) {
    this.#put = database.prepare('INSERT OR REPLACE INTO nodes (workspace, node_id, name, status, record) VALUES (?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM nodes WHERE workspace = ? AND node_id = ?');
    this.#get = database.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? AND node_id = ?');
    this.#names = database.prepare<[string], string>('SELECT name FROM nodes WHERE workspace = ?').pluck();
  }

  get(workspace: string, nodeId: string): Node | null {
    return toNode(this.#get.get(workspace, nodeId));
  }

  names(workspace: string): readonly string[] {
    return this.#names.all(workspace);
  }

  put(workspace: string, { nodeId, node }: NodeWrite): void {
    if (node) this.#put.run(workspace, nodeId, node.name, node.status, JSON.stringify(node));
    else this.#remove.run(workspace, nodeId);
  }
}

export const toNode = (row: NodeRow | undefined): Node | null => (row === undefined ? null : readNode(row.record));
