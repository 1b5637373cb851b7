import { RelayError } from 'agent-relay-protocol';
import { silentLog } from 'agent-relay-wire';
import { expect, test, vi } from 'vitest';
import { KeptAgents, type KeptAgentsOptions } from './kept-agents.ts';

const lost = new RelayError('connection_closed', 'The link is gone');
const released = { status: 'ended', reason: 'The relay has given this agent up' } as const;
const failed = { status: 'failed', reason: 'It crashed' } as const;

/** A machine that keeps Worker; `answers` are those of the relay to each start, in turn. */
async function machine(...answers: readonly (() => unknown)[]) {
  let asked = 0;
  const running = new Set<string>();
  const callRoute = async () => answers[asked++]?.();
  const kept = new KeptAgents({
    links: { wait: async () => ({ callRoute }) },
    owner: { terms: async () => ({ kept: [{ name: 'Worker', provider: 'claude' }] }) },
    log: silentLog,
    clock: { now: () => 0 },
    isSettled: () => true,
    isRunning: (agentId: string) => running.has(agentId),
    workspacesFolder: '/w',
    signal: new AbortController().signal,
  } as unknown as KeptAgentsOptions); // what is used of them
  await kept.attached('n1');
  const isAsked = (times: number) => vi.waitFor(() => expect(asked).toBe(times), { timeout: 20_000 });
  return { kept, running, isAsked };
}

test('a kept agent whose start was lost with the link comes back where the relay gives it up, also while it runs', async () => {
  const world = await machine(() => {
    world.running.add('Worker');
    throw lost;
  });
  await world.isAsked(1);
  // Asked again, it is seen to run.
  await new Promise((resolve) => setTimeout(resolve, 700));
  world.running.delete('Worker');
  await world.kept.ended({ agentId: 'Worker' }, released);
  await world.isAsked(2);
});

test('one that the relay has and that is released stays away', async () => {
  const world = await machine(() => {
    world.running.add('Worker');
    throw lost;
  });
  await world.isAsked(1);
  await new Promise((resolve) => setTimeout(resolve, 700));
  world.kept.confirmed(['Worker']);
  world.running.delete('Worker');
  await world.kept.ended({ agentId: 'Worker' }, released);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await world.isAsked(1);
});

test('one that fails before its start is answered comes back', async () => {
  const world = await machine(() => world.kept.ended({ agentId: 'Worker' }, failed));
  await world.isAsked(2);
});
