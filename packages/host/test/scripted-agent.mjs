// A stand-in for a vendor's program: JSON lines in, agent events out. Commands in a prompt's text begin with `!`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const waiting = [];
let turn = null;
let turns = 0;

const commands = {
  hang: () => {
    turn.isHanging = true;
  },
  say: (item, text) => say({ type: 'text.completed', ...item, text }),
  stream: (item, text) => {
    for (const piece of text) say({ type: 'text.delta', ...item, text: piece });
  },
  tool: (item, text) => say({ type: 'tool.started', ...item, name: 'shell', kind: 'execute', title: text }),
  change: (item, path) => say({ type: 'file.changed', ...item, changes: [{ path, change: 'updated' }] }),
  drip: (item, text) => {
    turn.isHanging = true;
    drip(item, Number(text));
  },
  // The provider answers with a line of its own.
  ask: (item, text) => {
    turn.isHanging = true;
    say({ type: 'scripted.ask', ...item, title: text });
  },
  crash: () => process.exit(3),
  orphan: (item) => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
    child.unref();
    say({ type: 'text.completed', ...item, text: `orphan ${child.pid}` });
  },
};

function begin(prompt) {
  turns += 1;
  turn = { turnId: `turn-${turns}`, items: 0 };
  say({ type: 'turn.started', turnId: turn.turnId });
  take(prompt);
}

function take(prompt) {
  for (const messageId of prompt.messageIds) say({ type: 'input.accepted', messageId, evidence: 'echo', state: 'seen' });
  say({ type: 'user.message', turnId: turn.turnId, text: prompt.text, messageIds: prompt.messageIds });
  for (const [, command, argument = ''] of prompt.text.matchAll(/!(\w+)(?: (.*))?/gu)) {
    const text = argument.replaceAll('\\n', '\n');
    turn.items += 1;
    const item = { turnId: turn.turnId, itemId: `item-${turns}-${turn.items}` };
    commands[command]?.(item, text);
  }
  if (!turn.isHanging) end('finished');
}

/** A text every five milliseconds, then the end of the turn. */
function drip(item, count) {
  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    say({ type: 'text.completed', ...item, itemId: `${item.itemId}-${n}`, text: `${n}` });
    if (n < count) return;
    clearInterval(timer);
    end('finished');
  }, 5);
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
  if (request.type === 'answer') {
    say({ type: 'text.completed', turnId: turn.turnId, itemId: `answer-${turns}`, text: request.outcome });
    end('finished');
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
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => {});
say({ type: 'session.started', vendorSessionId: `scripted-${process.pid}`, cwd: process.cwd() });
