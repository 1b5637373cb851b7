import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { WebSocketServer } from 'ws';

/**
 * The least a bridge can do, as a yardstick: a process for each prompt, its lines read and parsed, each piece of text a frame. Nothing is checked, nothing
 * is waited for, nothing is ended.
 */
const [command = ''] = process.argv.slice(2);
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { prompt, requestId } = JSON.parse(String(data)) as { prompt: string; requestId: string }; // our own load sends it
    const child = spawn(process.execPath, [command], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.stdin.write(`${JSON.stringify({ type: 'user', uuid: requestId, message: { role: 'user', content: prompt } })}\n`);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const frame = JSON.parse(line);
      const content = frame.event?.delta?.text;
      if (content) socket.send(JSON.stringify({ type: 'chunk', content, requestId }));
      if (frame.type !== 'result') return;
      socket.send(JSON.stringify({ type: 'complete', requestId }));
      child.stdin.end();
    });
  });
});
server.on('listening', () => process.stdout.write(`ws://127.0.0.1:${Reflect.get(server.address() as object, 'port')}\n`));
