import Database from 'better-sqlite3';
import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The least a durable relay can do, as a yardstick: a WebSocket in, one table, one fsynced transaction per event-loop turn, then the
 * acknowledgement to the sender and the push to the receiver. No auth, no rules, no receipts, no log to resume from.
 *
 * Frames: `{hello: name}`; `{id, to, body}` → sender gets `{ok: id}`, receiver gets `{n, from, body}`.
 */
const [path = ''] = process.argv.slice(2);
const database = new Database(path);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
database.exec(
  'CREATE TABLE messages (id INTEGER PRIMARY KEY, sender TEXT NOT NULL, receiver TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL)',
);
const insert = database.prepare('INSERT INTO messages (sender, receiver, body, at) VALUES (?, ?, ?, ?)');
const begin = database.prepare('BEGIN IMMEDIATE');
const commit = database.prepare('COMMIT');

interface Pending {
  readonly socket: WebSocket;
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly body: string;
}

const receivers = new Map<string, WebSocket>();
let pending: Pending[] = [];

function flush(): void {
  const batch = pending;
  pending = [];
  begin.run();
  const numbers = batch.map(({ from, to, body }) => insert.run(from, to, body, Date.now()).lastInsertRowid);
  commit.run();
  for (const [index, { socket, id, from, to, body }] of batch.entries()) {
    socket.send(JSON.stringify({ ok: id }));
    receivers.get(to)?.send(JSON.stringify({ n: Number(numbers[index]), from, body }));
  }
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket, request) => {
  request.socket.setNoDelay(true);
  let name = '';
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data));
    if (frame.hello !== undefined) {
      name = frame.hello;
      receivers.set(name, socket);
      return;
    }
    if (pending.length === 0) setImmediate(flush);
    pending.push({ socket, id: frame.id, from: name, to: frame.to, body: frame.body });
  });
});
server.on('listening', () => {
  const address = server.address();
  if (typeof address === 'object' && address) console.log(JSON.stringify({ port: address.port }));
});
process.on('SIGTERM', () => process.exit(0));
