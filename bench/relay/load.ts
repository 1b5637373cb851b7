import { WebSocket } from 'ws';

/**
 * The load process, the same for both programs. Reads a plan from its first argument, prints one JSON line of figures.
 * `throughput`: every sender keeps `inFlight` messages unacknowledged until `count` have arrived at the receivers.
 * `latency`: one message at a time, from the send to its arrival.
 */
interface Plan {
  readonly program: 'bare' | 'relay';
  readonly url: string;
  /** Tokens by agent id; empty for the bare program. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly senders: readonly string[];
  readonly receivers: readonly string[];
  readonly mode: 'throughput' | 'latency';
  /** Whether each receiver acknowledges what it got. */
  readonly acknowledge: boolean;
  readonly count: number;
  readonly inFlight: number;
  readonly bodyLength: number;
}

/** A program that stops answering ends the run, and the run ends. */
const TIME_LIMIT_MS = 300_000;

const plan: Plan = JSON.parse(process.argv[2] ?? '{}');
const body = 'x'.repeat(plan.bodyLength);

interface Peer {
  send(to: string): void;
}

let arrived = 0;
let startedAt = 0;
let onArrival: () => void = () => {};
let finish: () => void = () => {};
const finished = new Promise<void>((resolve) => {
  finish = resolve;
});

function arrive(messages: number): void {
  arrived += messages;
  onArrival();
  if (arrived >= plan.count) finish();
}

async function open(name: string): Promise<WebSocket> {
  const token = plan.tokens[name];
  const socket = new WebSocket(plan.url, {
    perMessageDeflate: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  socket.on('close', () => fail(`the socket of ${name} was closed`));
  return socket;
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}

async function openSender(name: string, onAcknowledged: () => void): Promise<Peer> {
  const socket = await open(name);
  if (plan.program === 'bare') socket.send(JSON.stringify({ hello: name }));
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data));
    if (frame.error !== undefined) fail(`send failed: ${JSON.stringify(frame.error)}`);
    onAcknowledged();
  });
  let id = 0;
  return {
    send(to) {
      id += 1;
      socket.send(
        plan.program === 'bare'
          ? JSON.stringify({ id, to, body })
          : JSON.stringify({ jsonrpc: '2.0', id, method: 'messages/send', params: { to: `id:${to}`, body } }),
      );
    },
  };
}

async function openReceiver(name: string): Promise<void> {
  const socket = await open(name);
  if (plan.program === 'bare') {
    socket.send(JSON.stringify({ hello: name }));
    socket.on('message', () => arrive(1));
    return;
  }
  const subscribe = plan.acknowledge
    ? { method: 'inbox/subscribe', params: { id: name, window: 1000 } }
    : { method: 'events/subscribe', params: { for: name, types: ['message.new'] } };
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, ...subscribe }));
  await new Promise<void>((resolve) => {
    let id = 1;
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.error !== undefined) fail(`${name}: ${JSON.stringify(frame.error)}`);
      if (frame.method === 'subscription/ended') fail(`${name}: ${JSON.stringify(frame.params)}`);
      if (frame.id === 1) resolve();
      if (frame.method === 'events/next') arrive(frame.params.events.length);
      if (frame.method !== 'inbox/next') return;
      const ids = frame.params.items.map((item: { message: { id: number } }) => item.message.id);
      id += 1;
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'inbox/ack', params: { id: name, ids } }));
      arrive(ids.length);
    });
  });
}

setTimeout(() => fail('the load did not end in time'), TIME_LIMIT_MS).unref();
for (const name of plan.receivers) await openReceiver(name);

if (plan.mode === 'throughput') {
  let sent = 0;
  const peers: Peer[] = [];
  const next = (index: number) => {
    if (sent >= plan.count) return;
    const to = plan.receivers[sent % plan.receivers.length] ?? '';
    sent += 1;
    peers[index]?.send(to);
  };
  for (const [index, name] of plan.senders.entries()) peers[index] = await openSender(name, () => next(index));
  startedAt = performance.now();
  for (const index of peers.keys()) for (let slot = 0; slot < plan.inFlight; slot += 1) next(index);
  await finished;
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(JSON.stringify({ perSecond: plan.count / seconds, seconds }));
} else {
  const samples: number[] = [];
  const sender = await openSender(plan.senders[0] ?? '', () => {});
  const to = plan.receivers[0] ?? '';
  for (let index = 0; index < plan.count; index += 1) {
    const began = performance.now();
    await new Promise<void>((resolve) => {
      onArrival = resolve;
      sender.send(to);
    });
    samples.push(performance.now() - began);
  }
  samples.sort((left, right) => left - right);
  const at = (share: number) => samples[Math.floor(samples.length * share)] ?? 0;
  console.log(JSON.stringify({ p50Ms: at(0.5), p99Ms: at(0.99) }));
}
process.exit(0);
