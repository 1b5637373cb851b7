#!/usr/bin/env node
// An agent of the Agent Client Protocol that does what a prompt says and misbehaves as it is told. Its own words, without an SDK, so that it can say
// what no SDK would. Words of a prompt, chained with " && then ":
//   say: TEXT · slow N MS · edit file: PATH | TEXT · run command: CMD · fs read: PATH · fs write: PATH | TEXT · huge N · exit N · hang
//   send {json}: a frame as it is ($SESSION stands for the session's id) · print TEXT: a line on stdout
//   write: PATH: the bytes of a file, a JSON array of base64, each element in a write of its own ("$PROMPT" stands for the id of the prompt)
// Ways of FAKE_ACP, separated by commas: tool-first, tells-rejects, error-after-cancel, ignores-cancel, swallows-signals, detached-shell, loads,
// same-ids, old, relative-paths, garbage, needs-login, other-version, always-only
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

const ways = new Set((process.env.FAKE_ACP ?? '').split(','));
const session = process.env.FAKE_ACP_SESSION ?? 'session-1';
let cwd = process.cwd();
let turn = null;
let promptId = null;
// The first request of an agent has the id 0.
let nextId = 0;
const waiting = new Map();

const write = (frame) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...frame })}\n`);
const update = (fields) => write({ method: 'session/update', params: { sessionId: session, update: fields } });
const remember = (entry) => {
  if (process.env.FAKE_ACP_TRANSCRIPT) appendFileSync(process.env.FAKE_ACP_TRANSCRIPT, `${JSON.stringify(entry)}\n`);
};
const ask = (method, params) =>
  new Promise((resolveAnswer) => {
    const id = nextId++;
    waiting.set(id, resolveAnswer);
    write({ id, method, params });
  });
const chunk = (text) => update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });
const stopped = () => turn?.signal.aborted === true;

const idOf = (tool) => `${tool}__${ways.has('same-ids') ? 'call_0' : `${tool}_1_${nextId}`}`;

const steps = {
  say: async ([text]) => {
    for (const word of text.split(/(?<=\s)/)) chunk(word);
  },
  slow: async ([count, ms]) => {
    for (let n = 1; n <= Number(count) && !stopped(); n += 1) {
      chunk(`word${n} `);
      await pause(Number(ms), undefined, { signal: turn.signal }).catch(() => {});
    }
  },
  'edit file': async ([path, text]) => {
    const file = resolve(cwd, path);
    const shown = ways.has('relative-paths') ? relative(cwd, file) : file;
    const content = [{ type: 'diff', path: shown, oldText: '', newText: text, _meta: { kind: 'add' } }];
    const call = {
      toolCallId: idOf('write_file'),
      title: `Writing to ${path}`,
      kind: 'edit',
      content,
      locations: [{ path: shown }],
    };
    await useTool(call, async () => {
      writeFileSync(file, `${text}\n`);
      return content;
    });
  },
  'run command': async ([command]) => {
    const call = {
      toolCallId: idOf('run_shell_command'),
      title: command,
      kind: 'execute',
      content: [],
      locations: [],
    };
    await useTool(call, () => run(command));
  },
  'fs read': async ([path]) => tell(await ask('fs/read_text_file', { sessionId: session, path })),
  'fs write': async ([path, content]) => tell(await ask('fs/write_text_file', { sessionId: session, path, content })),
  huge: async ([length]) => chunk('x'.repeat(Number(length))),
  exit: ([code]) => process.exit(Number(code)),
  print: async ([text]) => void process.stdout.write(`${text}\n`),
  send: async ([json]) => {
    const frame = JSON.parse(json.replaceAll('$SESSION', session));
    if (frame.id === undefined || frame.method === undefined) write(frame);
    else tell(await ask(frame.method, frame.params));
  },
  write: async ([path]) => {
    const asked = JSON.stringify(promptId);
    for (const piece of JSON.parse(readFileSync(path, 'utf8'))) {
      const bytes = Buffer.from(piece, 'base64').toString('latin1');
      process.stdout.write(bytes.replaceAll('"$PROMPT"', asked), 'latin1');
      await nextTurn();
    }
  },
  hang: () => new Promise((end) => turn.signal.addEventListener('abort', end, { once: true })),
};

const tell = (answer) =>
  chunk(answer.error ? `error ${answer.error.code}: ${JSON.stringify(answer.error)}` : `answer ${JSON.stringify(answer.result)}`);

async function useTool(call, use) {
  if (ways.has('tool-first')) update({ sessionUpdate: 'tool_call', status: 'pending', ...call });
  const always = [{ optionId: 'for-ever', name: 'Always', kind: 'allow_always' }];
  const once = [
    { optionId: 'yes-1', name: 'Allow', kind: 'allow_once' },
    { optionId: 'no-1', name: 'Reject', kind: 'reject_once' },
  ];
  const options = ways.has('always-only') ? always : [...always, ...once];
  const { result } = await ask('session/request_permission', { sessionId: session, toolCall: { status: 'pending', ...call }, options });
  remember({ outcome: result?.outcome });
  if (result?.outcome?.optionId !== 'yes-1' && result?.outcome?.optionId !== 'for-ever') {
    if (ways.has('tells-rejects')) update({ sessionUpdate: 'tool_call_update', toolCallId: call.toolCallId, status: 'failed' });
    return;
  }
  const content = await use();
  update({ sessionUpdate: 'tool_call_update', status: 'completed', ...call, content });
}

async function run(command) {
  const detached = ways.has('detached-shell');
  const child = spawn('/bin/sh', ['-c', command], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
    ...(detached ? {} : { signal: turn.signal }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  await new Promise((end) => child.once('close', end).once('error', end));
  return [{ type: 'content', content: { type: 'text', text: output } }];
}

async function prompt({ prompt: blocks }) {
  const text = blocks.map((block) => block.text ?? block.resource?.text ?? '').join('\n');
  remember({ prompt: text });
  turn = new AbortController();
  const line = text.split('\n').findLast((each) => wordOf(each) !== null) ?? 'say: Nothing to do.';
  for (const part of line.slice(line.search(start)).split(' && then ')) {
    const [word, rest] = wordOf(part) ?? ['say', [part]];
    await steps[word](rest);
    if (stopped()) break;
  }
  const wasStopped = stopped();
  turn = null;
  if (wasStopped && ways.has('error-after-cancel')) return { error: { code: -32603, message: 'This operation was aborted' } };
  const usage = { inputTokens: 11, outputTokens: 7, totalTokens: 18 };
  return { result: { stopReason: wasStopped ? 'cancelled' : 'end_turn', usage } };
}

const start = /(?:say|edit file|run command|fs read|fs write|write): |(?:slow|huge|exit) \d|print |send \{|hang$/;
function wordOf(text) {
  const at = text.search(start);
  if (at < 0) return null;
  const said = text.slice(at);
  const [, two, path, content] = /^(edit file|fs write): (\S+) \| (.*)$/.exec(said) ?? [];
  if (two) return [two, [path, content]];
  const [, one, argument] = /^(say|run command|fs read|write): (.*)$/.exec(said) ?? [];
  if (one) return [one, [argument]];
  const [, word, rest] = /^(print|send) (.*)$/.exec(said) ?? [];
  if (word) return [word, [rest]];
  const [name, ...numbers] = said.split(' ');
  return [name, numbers];
}

const methods = {
  initialize: async () => ({
    result: {
      protocolVersion: ways.has('other-version') ? 2 : 1,
      agentInfo: { name: 'fake-acp', version: ways.has('old') ? '0.60.9' : '3.2.1' },
      agentCapabilities: { loadSession: ways.has('loads'), promptCapabilities: { embeddedContext: true }, mcpCapabilities: { http: true } },
      authMethods: [{ id: 'key', name: 'API key' }],
    },
  }),
  'session/new': async (params) => {
    if (ways.has('needs-login')) return { error: { code: -32000, message: 'Gemini API key is missing or not configured.' } };
    cwd = params.cwd;
    remember({ new: params, gemini: Object.keys(process.env).filter((name) => name.startsWith('GEMINI_')) });
    setTimeout(() => update({ sessionUpdate: 'available_commands_update', availableCommands: [{ name: 'about' }] }), 0);
    return {
      result: {
        sessionId: session,
        models: { currentModelId: 'fake-model', availableModels: [] },
        modes: { currentModeId: 'shy', availableModes: [{ id: 'shy' }, { id: 'free' }] },
      },
    };
  },
  'session/set_mode': async ({ modeId }) => {
    remember({ mode: modeId });
    return { result: {} };
  },
  'session/load': async (params) => {
    remember({ load: params });
    if (params.sessionId === 'lost') return { error: { code: -32602, message: 'there is no such session' } };
    update({ sessionUpdate: 'user_message_chunk', content: { type: 'text', text: 'what was asked' } });
    chunk('what was said');
    return { result: null };
  },
  'session/prompt': prompt,
};

function cancel() {
  remember({ cancel: true });
  if (!ways.has('ignores-cancel')) turn?.abort();
}

async function take(frame) {
  if (frame.method === undefined) {
    waiting.get(frame.id)?.(frame);
    waiting.delete(frame.id);
  } else if (frame.method === 'session/cancel' && frame.id === undefined) cancel();
  else if (frame.id !== undefined) {
    if (frame.method === 'session/prompt') promptId = frame.id;
    const answer = (await methods[frame.method]?.(frame.params)) ?? { error: { code: -32601, message: 'Method not found' } };
    write({ id: frame.id, ...answer });
  }
}

if (process.argv.includes('--version')) console.log('3.2.1');
else {
  if (ways.has('swallows-signals')) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
  if (ways.has('garbage'))
    process.stdout.write('Loaded cached credentials.\n{"level":"info"}\n[1,2]\n"text"\n{"jsonrpc":"2.0","id":999,"result":{}}\n{broken\n');
  if (process.env.FAKE_ACP_FIRST) await steps.write([process.env.FAKE_ACP_FIRST]);
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => void take(JSON.parse(line)));
  input.once('close', () => {
    if (ways.has('swallows-signals')) setInterval(() => {}, 1000);
    else if (turn === null) process.exit();
  });
}
