import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InboxItem } from 'agent-relay-protocol';
import { formatEnvelope } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runHook } from '../src/hook/run-hook.ts';
import { makePrivateFolder, sessionPlace } from '../src/session-place.ts';
import { LineServer } from '../src/sidecar/line-server.ts';

let folder: string;
let door: LineServer;
const place = () =>
  sessionPlace({ platform: process.platform, uid: process.getuid?.(), home: folder, temporaryFolder: folder, claudePid: 4712 });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'claude-plugin-unanswered-'));
  vi.stubEnv('TMPDIR', folder);
  makePrivateFolder(place().folder, process.getuid?.());
  // A process that is there and gives no answer.
  door = await LineServer.listen({ path: place().door, onLine: (_line, socket) => void socket.destroy() });
});
afterEach(async () => {
  await door.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const hook = (hook_event_name: string, input: object = {}, env: Readonly<Record<string, string>> = {}) =>
  runHook({
    argv: [],
    text: JSON.stringify({ hook_event_name, ...input }),
    env: { CLAUDE_PLUGIN_DATA: join(folder, 'data'), ...env },
    parentPid: 4712,
  });
const mail = formatEnvelope({
  message: {
    ...{ id: 1, from: 'Peer', subject: null, body: 'write it', mode: 'next', channel: null },
    ...{ claimable: false, hops: 0, sender: { relation: 'peer' } },
  },
  nonce: 'n1',
} as unknown as InboxItem); // it says no more of one
const decision = async () => {
  const { stdout = '{}' } = await hook('PreToolUse', { tool_name: 'Write', tool_input: {} });
  return JSON.parse(stdout).hookSpecificOutput?.permissionDecision ?? 'no word';
};

test.skipIf(process.platform === 'win32')(
  'a prompt with mail whose hook was not answered begins a turn that uses no tool unasked; one of a person does not',
  async () => {
    await hook('UserPromptSubmit', { prompt: 'build it' });
    expect(await decision()).toBe('no word');
    await hook('UserPromptSubmit', { prompt: mail }, { AGENT_RELAY_AGENT_ID: 'Worker' });
    expect([await decision(), existsSync(place().restrictedFile)]).toEqual(['no word', false]);
    await hook('UserPromptSubmit', { prompt: mail });
    expect(await decision()).toBe('deny');
  },
);

test.skipIf(process.platform === 'win32')(
  'at rest, at its end and where a session starts no turn is held any more, whether nobody answers or nobody is there',
  async () => {
    await hook('UserPromptSubmit', { prompt: mail });
    await hook('Notification', { notification_type: 'agent_needs_input' });
    expect(await decision()).toBe('deny');
    await hook('Notification', { notification_type: 'idle_prompt' });
    expect(await decision()).toBe('no word');
    await hook('UserPromptSubmit', { prompt: mail });
    await hook('SessionStart', { source: 'compact' });
    expect(await decision()).toBe('deny');
    // Left by a session that was killed, of which this one has the number.
    await hook('SessionStart', { source: 'startup' });
    expect(await decision()).toBe('no word');
    // It has ended in peace, with a message on its way into the session.
    await door.close();
    await hook('UserPromptSubmit', { prompt: mail });
    expect(await decision()).toBe('deny');
    await hook('SessionEnd');
    expect([await decision(), existsSync(place().restrictedFile)]).toEqual(['no word', false]);
  },
);
