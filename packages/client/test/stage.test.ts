import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRelayClient } from '../src/relay-client.ts';
import { Stage } from '../src/run/stage.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('while a replay waits for the next thing to happen, whoever holds something says that it is there', async () => {
  const heard: string[] = [];
  const relay = createRelayClient({
    url: 'http://relay.test',
    fetch: async (input) => {
      heard.push(new URL(String(input)).pathname);
      return Response.json({});
    },
  });
  const stage = new Stage({ agents: [], askers: new Set() }, { relay, speed: 1 });
  stage.holds('Ann');
  stage.holds('Ann');
  stage.holds('Bob');
  stage.letsGo('Ann');
  stage.letsGo('Bob');
  await stage.reach(1_000);
  const reached = stage.reach(61_000);
  await vi.advanceTimersByTimeAsync(60_000);
  await reached;
  expect(heard).toEqual(['/api/agents/Ann/heartbeat', '/api/agents/Ann/heartbeat']);
  stage.letsGo('Ann');
  const further = stage.reach(121_000);
  await vi.advanceTimersByTimeAsync(60_000);
  await further;
  expect(heard).toHaveLength(2);
});
