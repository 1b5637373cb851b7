import type { ActivityEntry } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { createRelayClient } from '../src/relay-client.ts';
import { recordRun } from '../src/run/record-run.ts';

test('a run of an agent that did very much is recorded as a whole', async () => {
  const event = { type: 'context.compacted' } as const;
  const entry = (id: number): ActivityEntry => ({ id, agentId: 'Worker', sessionId: 's', seq: id, at: id, late: false, event });
  const pages = 200;
  const answers: Readonly<Record<string, (query: URLSearchParams) => object>> = {
    '/api/version': () => ({ version: '1.0.0', protocol: 1 }),
    '/api/agents': () => ({ data: [], cursor: 1 }),
    '/api/messages': () => ({ data: [], cursor: 1 }),
    '/api/approvals': () => ({ data: [], cursor: 1 }),
    '/api/approvals/rules': () => ({ data: [], cursor: 1 }),
    '/api/pairs': () => ({ data: [], cursor: 1 }),
    '/api/reservations': () => ({ data: [], cursor: 1 }),
    '/api/agents/Worker/activity': (query) => {
      const page = Number(query.get('after'));
      const data = Array.from({ length: 1_000 }, (_, index) => entry(page * 1_000 + index + 1));
      return { data, cursor: 1, ...(page + 1 < pages && { nextCursor: page + 1 }) };
    },
  };
  const relay = createRelayClient({
    url: 'http://relay.test',
    fetch: async (input) => {
      const { pathname, searchParams } = new URL(String(input));
      return Response.json(answers[pathname]?.(searchParams) ?? {});
    },
  });
  const records = await recordRun(relay, { recordedAt: 1, agents: ['Worker'] });
  expect(records).toHaveLength(1 + pages * 1_000);
  expect(records.at(-1)).toMatchObject({ type: 'activity', at: pages * 1_000 });
});
