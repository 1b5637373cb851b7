import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from 'agent-relay-testing';
import { sleep } from 'agent-relay-wire';
import { findCallbackViolations } from './callback-checker.ts';
import { openCallbackTarget } from './callback-target.ts';
import { findViolations } from './checker.ts';
import { findNodeViolations } from './node-checker.ts';
import { startNodeWorkload } from './node-workload.ts';
import { findPairViolations } from './pair-checker.ts';
import { startPairWorkload } from './pair-workload.ts';
import { startRelay } from './relay-process.ts';
import { seeded } from './seeded.ts';
import { findTaskViolations } from './task-checker.ts';
import { startTaskWorkload } from './task-workload.ts';
import { startWorkload } from './workload.ts';

export interface CrashRun {
  readonly cycles: number;
  readonly seed: number;
  readonly violations: readonly string[];
  /** How much was acknowledged; a run that made none proved nothing. */
  readonly counts: Readonly<Record<Counted, number>>;
  readonly events: number;
  readonly msPerCycle: number;
}

type Counted =
  | 'sends'
  | 'acknowledgements'
  | 'completions'
  | 'reports'
  | 'claims'
  | 'endings'
  | 'callbacks'
  | 'pairs'
  | 'sayings'
  | 'leavings'
  | 'toHosted'
  | 'nodeKills';

const integration = { name: 'ops', token: 'token-of-the-integration', callbackSecret: 'secret-of-the-callbacks' };

/** Which of the crashes takes the node with its agents as well. */
const NODE_DIES_EVERY = 5;

/**
 * Kills a relay, and now and then a node with agents, with SIGKILL `times` times at random moments under load, then checks what the clients saw. `seed` chooses the moments, what
 * the clients do and what the target of callbacks answers; `onCycle` is told how far it is.
 */
export async function runCrashes({
  times,
  seed = 1,
  onCycle = () => {},
}: {
  times: number;
  seed?: number;
  onCycle?: (cycle: number) => void;
}): Promise<CrashRun> {
  const random = seeded(seed);
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-crash-'));
  const port = await freePort();
  const target = await openCallbackTarget(integration.callbackSecret, random);
  const settings = {
    AGENT_RELAY_INTEGRATIONS: JSON.stringify([{ ...integration, callbackUrl: target.url }]),
    AGENT_RELAY_CALLBACK_ALLOW_PRIVATE: '127.0.0.1',
    AGENT_RELAY_INTEGRATION_RATE_LIMIT_PER_MINUTE: '1000000',
    // The same two invite each other again and again.
    AGENT_RELAY_PAIR_RATE_PER_MINUTE: '0',
    AGENT_RELAY_REPEAT_LIMIT: '0',
  };
  let relay = await startRelay(folder, port, settings);
  try {
    const access = { url: `ws://127.0.0.1:${port}/ws`, token: relay.ownerToken };
    const reporter = { ...integration, url: `http://127.0.0.1:${port}` };
    const mail = await startWorkload({ ...access, senders: 3, racers: 4, readers: 2, inboxes: 3 });
    const tasks = await startTaskWorkload({ ...access, reporter, reporters: 2, agents: 4, keys: 12, random });
    const pairs = await startPairWorkload({ ...access, agents: 5, random });
    const hosted = await startNodeWorkload({ ...access, folder, agents: 2, random });
    const startedAt = performance.now();
    for (let cycle = 0; cycle < times; cycle += 1) {
      await sleep(random() * 120);
      await relay.kill();
      const nodeDies = cycle % NODE_DIES_EVERY === NODE_DIES_EVERY - 1 ? hosted.kill() : null;
      relay = await startRelay(folder, port, settings);
      await nodeDies;
      onCycle(cycle + 1);
    }
    const msPerCycle = (performance.now() - startedAt) / times;
    target.behave();
    const [taskHistories, pairHistories, nodeHistories] = await Promise.all([tasks.finish(), pairs.finish(), hosted.finish()]);
    const histories = await mail.finish();
    const { log } = histories;
    const { arrivals } = target;
    const violations = [
      ...findViolations(histories),
      ...findTaskViolations(taskHistories, log),
      ...findCallbackViolations(arrivals, taskHistories, log, integration.name),
      ...findPairViolations(pairHistories, log),
      ...findNodeViolations(nodeHistories),
    ];
    const counts = { ...mail.counts(), ...tasks.counts(), ...pairs.counts(), ...hosted.counts(), callbacks: arrivals.length };
    return { cycles: times, seed, violations, counts, events: log.length, msPerCycle };
  } finally {
    await relay.kill();
    await target.close();
    await rm(folder, { recursive: true, force: true });
  }
}
