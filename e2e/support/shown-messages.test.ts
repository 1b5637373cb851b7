import { expect, test } from 'vitest';
import { ShownMessages } from './shown-messages.ts';

const frame = (process: number, ...ids: readonly number[]) =>
  `<cross-session-message from="uds:/tmp/${process}-1.sock" from-name="owner">\n${ids.map((id) => `[msg:${id}] from owner: note`).join('\n\n')}\n</cross-session-message>`;
const asked = (...texts: readonly string[]) => ({
  raw: {
    metadata: { user_id: JSON.stringify({ session_id: '28f357d8-aaf3-48b1-90b2-8f5a81994637' }) },
    messages: texts.map((content) => ({ role: 'user', content })),
  },
});

test('a message is counted once while its conversation keeps or loses it, and again where it is handed over again', () => {
  const shown = new ShownMessages();
  shown.note(asked(frame(1, 1, 2)));
  shown.note(asked(frame(1, 1, 2), frame(1, 3)));
  // Killed: the conversation that goes on has lost 3, and 2 comes again beside the one that is there.
  shown.note(asked(frame(1, 1, 2), frame(2, 2, 4)));
  // The same process gives 4 a second time.
  shown.note(asked(frame(1, 1, 2), frame(2, 2, 4), frame(2, 4)));
  expect([1, 2, 3, 4, 5].map((id) => shown.times(id))).toEqual([1, 2, 1, 2, 0]);
});
