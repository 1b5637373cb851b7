import { connect } from 'node:net';
import { WebSocket } from 'ws';

/**
 * Ten callers, each of which asks for as much as it can without pause: `node rude-callers.ts URL`. Nobody of them has a token. Prints a line
 * once all are at it.
 */
const url = new URL(process.argv[2] ?? '');
const IN_FLIGHT = 64;

async function open(): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${url.host}/ws`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

/** Keeps so many requests unanswered. */
async function flood(method: string, params: object): Promise<void> {
  const socket = await open();
  let id = 0;
  const ask = () => {
    id += 1;
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  };
  socket.on('message', ask);
  for (let index = 0; index < IN_FLIGHT; index += 1) ask();
}

/** Sends and acknowledges without end: nothing is left waiting, which would rightly be kept in mind. */
async function sendWithoutEnd(): Promise<void> {
  const socket = await open();
  let lastId = 0;
  const sends = new Set<number>();
  const ask = (method: string, params: object) => {
    lastId += 1;
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }));
    return lastId;
  };
  const send = () => sends.add(ask('messages/send', { from: 'rude', to: 'id:sink', body: 'x'.repeat(200) }));
  socket.on('message', (data) => {
    const { id, result } = JSON.parse(String(data));
    if (sends.delete(id)) ask('inbox/ack', { id: 'sink', ids: [result.id] });
    else send();
  });
  ask('agents/register', { name: 'sink' });
  for (let index = 1; index < IN_FLIGHT; index += 1) send();
}

/** Asks for everything and reads nothing. */
async function neverRead(): Promise<void> {
  const socket = await open();
  socket.pause();
  const lists = Array.from({ length: 1_000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'messages/list', params: { limit: 1000 } }));
  socket.send(JSON.stringify(lists));
  for (const list of lists) socket.send(JSON.stringify({ ...list, id: list.id + 1_000 }));
}

/** HTTP requests sent ahead of their answers, on one connection. */
function pipeline(path: string): void {
  const socket = connect(Number(url.port), url.hostname);
  const request = `GET ${path} HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`;
  socket.write(request.repeat(IN_FLIGHT));
  let tail = '';
  socket.on('data', (chunk) => {
    const text = tail + chunk.toString('latin1');
    const answers = text.split('HTTP/1.1 200').length - 1;
    tail = text.slice(-11);
    if (answers > 0) socket.write(request.repeat(answers));
  });
}

for (let index = 0; index < 3; index += 1) await flood('messages/list', { limit: 1000 });
for (let index = 0; index < 2; index += 1) await neverRead();
for (let index = 0; index < 2; index += 1) pipeline('/api/messages?limit=1000');
await flood('messages/list', { from: 'nobody-at-all', limit: 1000 });
await sendWithoutEnd();
await flood('agents/list', {});
console.log('ready');
