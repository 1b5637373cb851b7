import { type Node, NodeSchema } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
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
  readonly #get: Statement<[string, string], NodeRow>;
  readonly #list: Statement<[string], NodeRow>;
  readonly #online: Statement<[], NodeRow>;

  constructor(context: SqliteContext) {
    this.#context = context;
    const { database, reader } = context;
    this.#put = database.prepare('INSERT OR REPLACE INTO nodes (workspace, node_id, name, status, record) VALUES (?, ?, ?, ?, ?)');
    this.#get = reader.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? AND node_id = ?');
    this.#list = reader.prepare('SELECT workspace, record FROM nodes WHERE workspace = ? ORDER BY name, node_id');
    this.#online = reader.prepare("SELECT workspace, record FROM nodes WHERE status = 'online'");
  }

  put(
    workspace: string,
    node: Node,
    tell: { readonly type: 'node.connected' | 'node.disconnected' | 'node.updated'; readonly at: number } | null,
  ): Promise<void> {
    const { writer, log } = this.#context;
    return writer.write(() => {
      this.#put.run(workspace, node.nodeId, node.name, node.status, JSON.stringify(node));
      if (tell) log.append(workspace, { type: tell.type, at: tell.at, node });
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

const toNode = (row: NodeRow | undefined): Node | null => (row === undefined ? null : readNode(row.record));
