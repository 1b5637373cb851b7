/**
 * What the relay's core costs without any transport: durable direct messages a second, plain and with every message delivered and
 * acknowledged; then the same send with many agents and with many stored messages.
 *
 *     node --conditions=agent-relay-source bench/core.ts [--seconds 3] [--stored 1000000]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Principal } from 'agent-relay-protocol';
import { systemClock } from '../packages/server/src/clock.ts';
import { silentLogger } from '../packages/server/src/logger.ts';
import { defaultSettings } from '../packages/server/src/relay/contract/relay-settings.ts';
import { createRelay, type StartedRelay } from '../packages/server/src/relay/relay.ts';
import { SqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '3' }, stored: { type: 'string', default: '0' } } });
const runMs = Number(values.seconds) * 1000;
const stored = Number(values.stored);
const body = 'x'.repeat(200);
const IN_FLIGHT = 16;
const SENDERS = 16;
const signal = new AbortController().signal;
const principal: Principal = { type: 'owner', workspace: 'default' };

async function openRelay(agents: number): Promise<{ relay: StartedRelay; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-relay-bench-'));
  const store = await SqliteStore.open({ path: join(folder, 'relay.db') });
  const relay = await createRelay({
    store,
    clock: systemClock,
    log: silentLogger,
    settings: defaultSettings,
    workspace: principal.workspace,
  });
  const ids = Array.from({ length: agents }, (_, index) => `agent-${index}`);
  await Promise.all(ids.map(async (id) => relay.handlers['agents/register']({ id, name: id }, { principal, signal })));
  return { relay, folder };
}

/** Keeps a fixed number of sends in flight; answers sends a second. */
async function sendFor(relay: StartedRelay, recipients: number, forMs: number, sender = 'agent-0'): Promise<number> {
  const end = performance.now() + forMs;
  let sent = 0;
  const began = performance.now();
  const loop = async (first: number) => {
    for (let next = first; performance.now() < end; next = (next + 7) % recipients) {
      await relay.handlers['messages/send']({ from: sender, to: `agent-${next}`, body }, { principal, signal });
      sent += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT * SENDERS }, (_, index) => loop(index % recipients)));
  return (sent / (performance.now() - began)) * 1000;
}

/** Subscribes every recipient and acknowledges what arrives, batch by batch. */
async function acknowledgeAll(relay: StartedRelay, recipients: number, until: AbortSignal, count: (pieces: number) => void): Promise<void> {
  const read = async (id: string) => {
    const inbox = await relay.openInbox({ id, window: 1000 }, { principal, signal: until });
    for await (const items of inbox.batches) {
      count(items.length);
      const ids = items.map(({ message }) => message.id);
      void Promise.resolve(relay.handlers['inbox/ack']({ id, ids }, { principal, signal })).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: recipients }, (_, index) => read(`agent-${index}`)));
}

async function measure(title: string, agents: number, run: (relay: StartedRelay) => Promise<number>): Promise<number> {
  const { relay, folder } = await openRelay(agents);
  try {
    const before = process.cpuUsage();
    const from = relay.core.store.log.head;
    const rate = await run(relay);
    const spent = process.cpuUsage(before);
    const { messages } = await relay.core.store.counts('default');
    const perMessage = (spent.user + spent.system) / Math.max(1, messages);
    console.log(
      `${title.padEnd(44)} ${Math.round(rate).toLocaleString('en').padStart(8)} messages/s ${perMessage.toFixed(1).padStart(6)} µs of processor each (${from})`,
    );
    return rate;
  } finally {
    await relay.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

await measure('warm-up', 16, (relay) => sendFor(relay, 16, 1000));
await measure('send, 16 agents', 16, (relay) => sendFor(relay, 16, runMs));
await measure('send, deliver and acknowledge, 16 agents', 16, async (relay) => {
  const reading = new AbortController();
  let delivered = 0;
  const readers = acknowledgeAll(relay, 16, reading.signal, (pieces) => {
    delivered += pieces;
  });
  const began = performance.now();
  await sendFor(relay, 16, runMs);
  const rate = (delivered / (performance.now() - began)) * 1000;
  reading.abort();
  await readers;
  return rate;
});
await measure('send, 10 agents', 10, (relay) => sendFor(relay, 10, runMs));
await measure('send, 5,000 agents', 5000, (relay) => sendFor(relay, 5000, runMs));
if (stored > 0) {
  await measure(`send, 16 agents, ${stored.toLocaleString('en')} stored`, 16, async (relay) => {
    while (relay.core.store.log.head < stored) await sendFor(relay, 16, 500);
    return sendFor(relay, 16, runMs);
  });
}
