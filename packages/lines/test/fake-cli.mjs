#!/usr/bin/env node
// A command line that does what its prompt says, in the way that its first argument names. Real enough to be started, stopped and left behind.
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

if (process.argv.includes('--version')) {
  console.log('fake-cli 3.1.4');
  process.exit(0);
}
const [way, ...rest] = process.argv.slice(2);
const optionOf = (option) => (rest.includes(option) ? rest[rest.indexOf(option) + 1] : undefined);
const readInput = async () => {
  let text = '';
  for await (const piece of process.stdin) text += piece;
  return text;
};
const prompt = optionOf('-p') ?? (await readInput());
const session = optionOf('--resume') ?? `conversation-${process.pid}`;
if (process.env.FAKE_CLI_TRANSCRIPT)
  appendFileSync(
    process.env.FAKE_CLI_TRANSCRIPT,
    `${JSON.stringify({ args: process.argv.slice(2), prompt, tty: process.stdout.isTTY === true })}\n`,
  );
const task = prompt.trim().split('\n').at(-1);
const frame = (fields) => console.log(JSON.stringify({ session_id: session, ...fields }));
const isFrames = way === 'frames';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
if (isFrames) frame({ type: 'system', subtype: 'init', model: optionOf('-m') ?? 'fake-1', tools: [] });

const say = (text) =>
  isFrames ? frame({ type: 'assistant', message: { id: 'm1', content: [{ type: 'text', text }] } }) : console.log(text);
const [, command, argument = ''] = /^(say|fail|slow|run|edit|leave|linger|noise|cut): ?(.*)$/u.exec(task) ?? [];
for (let at = 0; command === 'slow' && at < 600; at += 1) {
  say(`word ${at}`);
  await wait(50);
}
if (command === 'leave') spawn('sleep', ['600'], { stdio: 'ignore', detached: true }).unref();
if (command === 'noise') {
  console.log('not json {');
  console.log('[1,2');
  process.stderr.write('a warning\n');
}
const use = (name, input) => {
  if (isFrames) frame({ type: 'assistant', message: { id: 'm1', content: [{ type: 'tool_use', id: `t-${process.pid}`, name, input }] } });
};
const gave = (content, isError) => {
  const block = { type: 'tool_result', tool_use_id: `t-${process.pid}`, content, is_error: isError };
  if (isFrames) frame({ type: 'user', message: { content: [block] } });
};
if (command === 'run') {
  use('Bash', { command: argument });
  const { stdout, status } = spawnSync('sh', ['-c', argument], { encoding: 'utf8' });
  gave(stdout, status !== 0);
}
if (command === 'edit') {
  const [path, text = ''] = argument.split(' | ');
  use('Write', { file_path: resolve(path), content: text });
  writeFileSync(path, text);
  gave('written', false);
}
if (command === 'fail') {
  process.stderr.write(`${argument}\n`);
  process.exit(3);
}
say(argument === '' ? 'done' : argument);
if (command === 'cut') process.exit(0);
if (command === 'linger') setInterval(() => {}, 1000);
if (isFrames) frame({ type: 'result', subtype: 'success', is_error: false, result: argument, duration_ms: 5 });
