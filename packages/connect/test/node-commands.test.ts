import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost } from 'agent-relay-host';
import type { Session } from 'agent-relay-protocol';
import { silentLog } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { RecordingRelay } from '../../host/test/recording-relay.ts';
import { ScriptedProvider } from '../../host/test/scripted-provider.ts';
import { DialledSessions } from '../src/dialled-sessions.ts';
import { nodeCommandHandler } from '../src/node-commands.ts';
import { anyOwner } from '../src/owner/owner.ts';
import { ToolDoor } from '../src/tool-door.ts';

const session: Session = {
  ...{ sessionId: 's1', agentId: 'Worker', nodeId: 'n1', provider: 'scripted', instanceId: 'i-s1', epoch: 1, spawnedBy: null },
  ...{ mode: 'agentic', ask: false, cwd: null, model: null, vendorSessionId: null, sandbox: 'none', sandboxReason: null },
  ...{ status: 'starting', startedAt: 1, endedAt: null, reason: null },
};

test('a session that is ended while its tools are made ready does not begin', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'agent-relay-commands-'));
  const provider = new ScriptedProvider();
  const relay = new RecordingRelay();
  const host = await createHost({
    providers: [provider],
    stateDir,
    allowedFolders: [],
    relay,
    log: silentLog,
    clock: Date,
    env: process.env,
  });
  // A relay that takes the question and does not answer.
  const silent: typeof fetch = (_url, init) =>
    new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('given up'))));
  const tools = await ToolDoor.open({ url: new URL('http://127.0.0.1:1'), fetch: silent, log: silentLog });
  const command = nodeCommandHandler({
    host,
    tools,
    dialledSessions: new DialledSessions(() => Promise.reject(new Error('nobody dialled in'))),
    owner: anyOwner,
    isKept: () => false,
    hooks: () => ({ hooks: [], file: null, fault: null, recent: [] }),
    url: new URL('http://127.0.0.1:4850'),
    onStarted: () => undefined,
  });
  const more = { token: 't', task: 'work', cwd: null, within: null, mode: 'agentic', approval: 'open', model: null };
  const started = expect(command('session/start', { session, ...more })).rejects.toMatchObject({ code: 'gone' });
  await command('session/close', { sessionId: 's1', reason: 'Released by the owner' });
  await started;
  expect([provider.started, host.running]).toEqual([[], []]);
  await host.close('over');
  await tools.close();
  rmSync(stateDir, { recursive: true, force: true });
});
