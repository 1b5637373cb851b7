// A stand-in for a vendor's program: JSON lines in, agent events out. Commands in a prompt's text begin with `!`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const waiting = [];
let turn = null;
let turns = 0;

function begin(prompt) {
  turns += 1;
  turn = { turnId: `turn-${turns}`, items: 0 };
  say({ type: 'turn.started', turnId: turn.turnId });
  take(prompt);
}

function take(prompt) {
  for (const messageId of prompt.messageIds) say({ type: 'input.accepted', messageId, evidence: 'echo', state: 'seen' });
  say({ type: 'user.message', turnId: turn.turnId, text: prompt.text, messageIds: prompt.messageIds });
  let isHanging = turn.isHanging ?? false;
  for (const [, command, argument = ''] of prompt.text.matchAll(/!(\w+)(?: (.*))?/gu)) {
    const text = argument.replaceAll('\\n', '\n');
    turn.items += 1;
    const item = { turnId: turn.turnId, itemId: `item-${turns}-${turn.items}` };
    if (command === 'hang') isHanging = true;
    if (command === 'say') say({ type: 'text.completed', ...item, text });
    if (command === 'stream') for (const piece of text) say({ type: 'text.delta', ...item, text: piece });
    if (command === 'tool') say({ type: 'tool.started', ...item, name: 'shell', kind: 'execute', title: text });
    if (command === 'many') {
      const [count, size] = text.split(' ').map(Number);
      for (let n = 1; n <= count; n += 1)
        say({ type: 'text.completed', ...item, itemId: `${item.itemId}-${n}`, text: `${n} ${'x'.repeat(size ?? 0)}` });
    }
    if (command === 'crash') process.exit(3);
    if (command === 'orphan') {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
      child.unref();
      say({ type: 'text.completed', ...item, text: `orphan ${child.pid}` });
    }
  }
  turn.isHanging = isHanging;
  if (!isHanging) end('finished');
}

function end(outcome) {
  const { turnId } = turn;
  turn = null;
  say({ type: 'turn.completed', turnId, outcome });
  const next = waiting.shift();
  if (next) begin(next);
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  if (request.type === 'interrupt') {
    if (turn) end('interrupted');
    return;
  }
  for (const messageId of request.messageIds) say({ type: 'input.accepted', messageId, evidence: 'echo', state: 'delivered' });
  if (turn && request.mode === 'urgent') end('interrupted');
  if (!turn) begin(request);
  else if (request.mode === 'now') take(request);
  else waiting.push(request);
});
// The worst a vendor can do: it outlives whoever started it.
setInterval(() => {}, 1000);
process.on('SIGTERM', () => {});
say({ type: 'session.started', vendorSessionId: `scripted-${process.pid}`, cwd: process.cwd() });
