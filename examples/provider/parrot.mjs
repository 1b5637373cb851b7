#!/usr/bin/env node
// Parrot, the agent of this example: it says what it is told. In its input, a line `write PATH: TEXT` writes a file, `run COMMAND` runs a
// command and `count N` counts slowly. It speaks JSON lines on stdin and stdout and asks before it uses a tool.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

const version = '1.2.0';

const say = (frame) => process.stdout.write(`${JSON.stringify(frame)}\n`);
/** What has entered the conversation, for whoever wants to read it later. */
const remember = (text) => {
  if (process.env.PARROT_TRANSCRIPT) appendFileSync(process.env.PARROT_TRANSCRIPT, `${JSON.stringify(text)}\n`);
};

const asks = new Map();
const waiting = [];
const context = [];
let turn = null;
let count = 0;
const next = (word) => `${word}-${++count}`;

const commands = {
  hello: ({ instructions }) => {
    remember(instructions);
    say({ type: 'ready', session: randomUUID(), version });
  },
  input: (input) => {
    say({ type: 'queued', input: input.id });
    if (input.when === 'context') context.push(input);
    else if (input.when === 'now' && turn !== null) turn.inputs.push(input);
    else if (input.when === 'urgent') {
      waiting.unshift(input);
      turn?.stop.abort();
    } else waiting.push(input);
    void work();
  },
  stop: () => turn?.stop.abort(),
  answer: ({ ask, allow }) => asks.get(ask)?.(allow),
};

async function work() {
  while (turn === null && waiting.length > 0) {
    turn = { id: next('turn'), inputs: [...context.splice(0), waiting.shift()], stop: new AbortController() };
    say({ type: 'turn', turn: turn.id });
    try {
      for (let input = turn.inputs.shift(); input !== undefined; input = turn.inputs.shift()) await take(input);
      say({ type: 'end', turn: turn.id, why: 'finished' });
    } catch (error) {
      // What was meant for this turn and did not enter it is not lost.
      waiting.push(...turn.inputs);
      if (turn.stop.signal.aborted) say({ type: 'end', turn: turn.id, why: 'stopped' });
      else say({ type: 'failed', turn: turn.id, error: String(error) });
    }
    turn = null;
  }
}

async function take({ id, text, when }) {
  remember(text);
  say({ type: 'heard', turn: turn.id, input: id, text });
  if (when === 'context') return;
  const [, path, content] = /^write (\S+): (.*)$/m.exec(text) ?? [];
  const [, command] = /^run (.+)$/m.exec(text) ?? [];
  const [, limit] = /^count (\d+)$/m.exec(text) ?? [];
  if (path !== undefined) await useTool('write', { path: realPath(path), text: content }, write);
  if (command !== undefined) await useTool('run', { command }, run);
  const words = limit === undefined ? text.split(/(?<=\s)/) : Array.from({ length: Number(limit) }, (_, index) => `${index + 1} `);
  await speak(words, limit === undefined ? 2 : 100);
}

async function speak(words, paceMs) {
  const item = { turn: turn.id, item: next('text') };
  for (const word of words) {
    await pause(paceMs, undefined, { signal: turn.stop.signal });
    say({ type: 'word', ...item, text: word });
  }
  say({ type: 'said', ...item, text: words.join('') });
}

async function useTool(tool, input, use) {
  const item = { turn: turn.id, item: next('tool') };
  say({ type: 'tool', ...item, tool, input });
  const isAllowed = await mayI({ type: 'ask', ask: next('ask'), ...item, tool, input });
  say({ type: 'done', ...item, ...(isAllowed ? await use(input) : { result: 'refused', output: 'I may not.' }) });
}

function mayI(question) {
  const { signal } = turn.stop;
  return new Promise((resolve, reject) => {
    asks.set(question.ask, resolve);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    say(question);
  }).finally(() => asks.delete(question.ask));
}

/** Where a write would end up: a link that leads out of the folder is seen before anybody is asked. */
function realPath(path) {
  const absolute = resolve(path);
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    return absolute; // there is no such folder: writing will say so
  }
}

function write({ path, text }) {
  try {
    writeFileSync(path, `${text}\n`, { flag: 'w' });
    return { result: 'ok', output: `wrote ${path}` };
  } catch (error) {
    return { result: 'failed', output: String(error) };
  }
}

async function run({ command }) {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], signal: turn.stop.signal });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const exitCode = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject));
  return { result: exitCode === 0 ? 'ok' : 'failed', output, exitCode: exitCode ?? -1 };
}

if (process.argv.includes('--version')) console.log(`parrot ${version}`);
else {
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const frame = JSON.parse(line);
      commands[frame.type]?.(frame);
    })
    .once('close', () => process.exit());
}
