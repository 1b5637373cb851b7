import { expect, test } from 'vitest';
import { runCodexOutages } from './codex-world.ts';

/** A thousand by hand: AGENT_RELAY_CODEX_OUTAGES=1000 npx vitest run e2e/outages/codex-outages.test.ts */
const messages = Number(process.env['AGENT_RELAY_CODEX_OUTAGES'] ?? 200);
const timeout = 120_000 + messages * 600;

test.each(['own', 'joined'] as const)(
  'a busy Codex on a server that is %s gets every message once and in order, whatever of it dies',
  { timeout },
  async (server) => {
    const run = await runCodexOutages({ messages: messages / 2, kills: Math.ceil(messages / 20), server, seed: messages });
    expect(run.violations).toEqual([]);
    expect(Object.keys(run.kills).sort()).toEqual(server === 'own' ? ['node', 'relay', 'server'] : ['line', 'relay', 'server']);
  },
);
