import { EventLog } from 'agent-relay-provider/testing';
import { describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import { isOverloaded } from '../src/app-server/errors.ts';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { codexBench, codexVersions } from './harness.ts';

const clientInfo = { name: 'flood', version: '1' };

/** Asks at once for more than the server keeps waiting; answers how often it refused. */
async function flood(client: CodexClient): Promise<number> {
  const asked = await Promise.allSettled(Array.from({ length: 400 }, () => client.request('thread/list', { limit: 100 })));
  return asked.filter((one) => one.status === 'rejected' && isOverloaded(one.reason)).length;
}

describe.each(codexVersions.slice(-1))('a server of Codex %s that others overload', { timeout: 240_000 }, (_, command) => {
  test('loses none of an agent’s messages, and takes none twice', async () => {
    await using bench = await codexBench(command);
    await using server = await CodexAppServer.start({ command, env: bench.env });
    const provider = new CodexProvider({ command, endpoint: server.endpoint });
    const session = await provider.start({
      agentId: 'agent',
      sessionId: 'session',
      cwd: bench.home.workFolder,
      mode: 'agentic',
      approval: 'open',
      instructions: '',
      mcp: [],
      env: bench.env,
      onProcess: () => {},
    });
    const log = new EventLog(session);
    await session.prompt({ text: 'say: ready', messageIds: [] }, { mode: 'next' });
    await log.waitForTurnEnd();
    // More than the server keeps waiting of requests, and than a thread keeps of prompts.
    await using other = await CodexClient.connect(server.endpoint, { clientInfo, maxInFlight: 1_000, maxOverloadedTries: 1 });
    const refused = flood(other);
    const ids = Array.from({ length: 130 }, (_ignored, index) => index + 1);
    const sent = Promise.all(ids.map((id) => session.prompt({ text: `say: letter ${id}`, messageIds: [id] }, { mode: 'next' })));
    const read = () => log.ofType('user.message').flatMap(({ messageIds = [] }) => messageIds);
    expect(await refused).toBeGreaterThan(0);
    await sent;
    await expect.poll(() => read().length, { timeout: 90_000 }).toBe(ids.length);
    expect(read()).toEqual(ids);
    await expect.poll(() => log.ofType('input.accepted').filter(({ state }) => state === 'seen').length).toBe(ids.length);
    await provider.close();
  });
});
