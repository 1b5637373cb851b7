import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runHook } from '../src/hook/run-hook.ts';
import { sessionPlace } from '../src/session-place.ts';
import { LineServer } from '../src/sidecar/line-server.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'claude-plugin-first-'));
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const hook = (hook_event_name: string, env: Readonly<Record<string, string>> = {}) =>
  runHook({ argv: [], text: JSON.stringify({ hook_event_name, prompt: 'hello' }), env, parentPid: 4711 });
const place = () =>
  sessionPlace({ platform: process.platform, uid: process.getuid?.(), home: folder, temporaryFolder: folder, claudePid: 4711 });
const answering = () =>
  LineServer.listen({ path: place().door, onLine: (_line, socket) => void socket.end(JSON.stringify({ stdout: 'who you are' })) });

test.skipIf(process.platform === 'win32')(
  'the first prompt of a session waits for the sidecar that is being started, and no later one does',
  async () => {
    expect(await hook('SessionStart')).toEqual({});
    const prompted = hook('UserPromptSubmit');
    const door = await answering();
    expect(await prompted).toEqual({ stdout: 'who you are' });
    await door.close();
    // No later prompt waits.
    expect(existsSync(place().startingFile)).toBe(false);
    expect(await hook('UserPromptSubmit')).toEqual({});
  },
);

test('a session that a machine of the relay runs has no sidecar to wait for', async () => {
  expect(await hook('SessionStart', { AGENT_RELAY_AGENT_ID: 'Worker' })).toEqual({});
  expect(existsSync(place().startingFile)).toBe(false);
});
