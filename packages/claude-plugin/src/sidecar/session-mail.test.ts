import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InboxItem } from 'agent-relay-protocol';
import { formatEnvelope } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noteTaken } from '../hook/after-sidecar.ts';
import { sessionPlace, takenFile } from '../session-place.ts';
import { Outbox } from './outbox.ts';
import { openSessionMail } from './session-mail.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'session-mail-'));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

// As much of it as a frame says.
const item = (id: number) =>
  ({
    message: {
      ...{ id, from: 'Peer', subject: null, body: 'hello', mode: 'next', channel: null },
      ...{ claimable: false, hops: 0, sender: { relation: 'peer' } },
    },
    nonce: `n${id}`,
  }) as unknown as InboxItem; // the desk reads no more of it

/** The plugin's process beside one Claude Code, which is woken by a hook. */
function beside(claudePid: number) {
  const outbox = new Outbox({ folder: join(data, 'outbox'), now: Date.now, onFault: () => {}, onUnreadable: () => {} });
  const conversation = { conversation: 'c1', transcript: null };
  const { mail, entered } = openSessionMail({
    env: { CLAUDE_CODE_SESSION_ID: 'c1', CLAUDE_CONFIG_DIR: data },
    data,
    agentId: 'agent',
    place: sessionPlace({ platform: 'linux', uid: 1, home: data, temporaryFolder: data, claudePid }),
    claudePid,
    outbox,
    log: silent,
    now: Date.now,
    relay: () => ({ wake: () => {}, link: null }),
    conversation: () => conversation,
  });
  return { mail, entered, outbox };
}

test('what a hook saw taken in while nobody answered it is not handed to the next Claude Code: both had been killed, and nobody knows', async () => {
  const before = beside(1);
  before.mail.add([item(1), item(2)]);
  const words = await before.mail.nextWords(new AbortController().signal);
  expect(words).toContain('[end msg:2 peer n2]');
  noteTaken(`<cross-session-message>\n${formatEnvelope(item(1))}\n</cross-session-message>`, takenFile(data, 1));
  const next = beside(2);
  await next.entered.recover();
  expect(next.outbox.entries.map(({ entry }) => entry)).toEqual([
    { type: 'lost', messageId: 1, reason: expect.stringContaining('nobody knows whether its model has read it') },
  ]);
  expect(next.mail.add([item(1), item(2)])).toBe(true);
  expect(await next.mail.nextWords(new AbortController().signal)).toBe(formatEnvelope(item(2)));
});
