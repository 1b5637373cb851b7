import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeRelayClient, findRelay } from 'agent-relay-client/node';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';

test('what serve has to say of itself is said in words where somebody reads along at a terminal', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'serve-words-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const hooks = join(folder, 'hooks.yaml');
  writeFileSync(hooks, 'hooks: { relay: { on_moon: [] } }\n', { mode: 0o600 });
  const stop = new AbortController();
  const notes: string[] = [];
  const env = { HOME: folder, AGENT_RELAY_HOOKS: hooks };
  /** It looks at its hooks when somebody asks. */
  const ask = async () => {
    await using client = createNodeRelayClient(await findRelay({ env, databasePath: join(folder, 'relay.db') }));
    await client.hooks.describe({});
  };
  let asked: Promise<void> | undefined;
  const code = await runCli(['serve', '--port', '0', '--db', join(folder, 'relay.db'), '--no-local-node', '--no-login-link'], {
    ...{ env, cwd: folder, signal: stop.signal, ask: null, hasReader: true },
    out: (line) => {
      // Its last line: it runs.
      if (line.includes(' watch')) asked = ask().finally(() => stop.abort());
    },
    note: (line) => notes.push(line),
  });
  await asked;
  expect([code, notes]).toEqual([
    0,
    [
      expect.stringMatching(
        /^warning: the hooks are not followed as they stand now \(fault .*hooks\.relay\.on_moon: is nothing that happens/u,
      ),
      'Stopping…',
    ],
  ]);
});
