#!/usr/bin/env node
// A `claude` that costs nothing: speaks stream-json, and answers `N` with N pieces of text as fast as they are taken.
import { createInterface } from 'node:readline';

if (process.argv.includes('--version')) {
  process.stdout.write('2.1.197 (Claude Code)\n');
  process.exit(0);
}

const piece = 'thirty-seven bytes of a model’s words';
const write = (frame) =>
  process.stdout.write(`${JSON.stringify(frame)}\n`) || new Promise((resolve) => process.stdout.once('drain', resolve));
let turns = 0;

async function answer(frame) {
  const count = Number(/\d+/.exec(JSON.stringify(frame.message.content))?.[0] ?? 1);
  turns += 1;
  const id = `msg_${turns}`;
  await write({ type: 'user', isReplay: true, uuid: frame.uuid, session_id: 's', message: frame.message });
  await write({ type: 'stream_event', session_id: 's', event: { type: 'message_start', message: { id } } });
  const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } };
  const line = `${JSON.stringify({ type: 'stream_event', session_id: 's', parent_tool_use_id: null, event: delta })}\n`;
  for (let left = count; left > 0; left -= 256) {
    if (process.stdout.write(line.repeat(Math.min(left, 256)))) continue;
    await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  await write({ type: 'stream_event', session_id: 's', event: { type: 'message_stop' } });
  await write({ type: 'result', subtype: 'success', is_error: false, session_id: 's', result: 'done', duration_ms: 1 });
}

for await (const text of createInterface({ input: process.stdin })) {
  const frame = JSON.parse(text);
  if (frame.type === 'control_request') {
    await write({ type: 'control_response', response: { subtype: 'success', request_id: frame.request_id, response: {} } });
    if (frame.request.subtype === 'end_session') process.exit(0);
  } else if (frame.type === 'user') await answer(frame);
}
