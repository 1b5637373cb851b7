import { spawn } from 'node:child_process';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { agentCliPaths, startFakeAnthropic, startFakeGoogle, startFakeOpenAi, tempHome, wordScript } from 'agent-relay-testing';
import { commandLineOf } from 'agent-relay-wire/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { hasBrowser, startBrowser } from './support/browser.ts';
import { processesMentioning } from './support/programs.ts';
import { until } from './support/until.ts';

const program = fileURLToPath(new URL('../packages/bridge/dist/cli.js', import.meta.url));
const home = await tempHome();
const [anthropic, openAi, google] = await Promise.all([
  startFakeAnthropic({ model: wordScript() }),
  startFakeOpenAi({ model: wordScript() }),
  startFakeGoogle({ model: wordScript() }),
]);
const mark = `bridge-test-${process.pid}`;

/** Says Claude's frames, as Cortex Code does. */
const fakeCortex = `#!/bin/sh
[ "$1" = --version ] && echo 1.2.3 && exit
echo '{"type":"system","subtype":"init","session_id":"c1"}'
echo '{"type":"assistant","message":{"id":"m1","role":"assistant","content":[{"type":"text","text":"from cortex"}]},"session_id":"c1"}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"from cortex","session_id":"c1"}'
`;

type Frame = Readonly<Record<string, unknown>>;
let env: NodeJS.ProcessEnv;
let agentWs: Awaited<ReturnType<typeof startBridge>>;
let aiRelay: Awaited<ReturnType<typeof startBridge>>;

beforeAll(async () => {
  await Promise.all([openAi.writeCodexHome(home.codexHome), google.writeGeminiHome(home.home)]);
  const bin = await home.makeFolder('bin');
  const { claude, codex, gemini } = agentCliPaths();
  for (const [name, path] of Object.entries({ claude, codex, gemini })) await symlink(path, join(bin, name));
  const older = join(bin, 'older-codex');
  await writeFile(older, `#!/bin/sh\n[ "$1" = app-server ] && exit 2\nexec ${codex} "$@"\n`);
  await chmod(older, 0o755);
  await writeFile(join(bin, 'cortex'), fakeCortex, { mode: 0o755 });
  const own = join(home.home, '.config', 'agent-relay');
  await mkdir(own, { recursive: true });
  await writeFile(join(own, 'providers.json'), JSON.stringify({ generic: { protocol: 'lines', command: 'tr', args: ['a-z', 'A-Z'] } }));
  const path = [bin, process.env['PATH'] ?? ''].join(delimiter);
  env = { ...home.env(), ...anthropic.env(), ...openAi.env(), ...google.env(), PATH: path, XDG_BRIDGE_TEST: mark };
  [agentWs, aiRelay] = await Promise.all([
    startBridge('--mode', 'agentic', '--max-connections', '100'),
    startBridge('--protocol', 'ai-relay', '--mode', 'unrestricted', '--codex-path', older),
  ]);
});

afterAll(async () => {
  expect(await Promise.all([agentWs.end(), aiRelay.end()])).toEqual([0, 0]);
  await until('the end of every process', async () => (await processesMentioning(mark)).length === 0);
  await Promise.all([anthropic.close(), openAi.close(), google.close()]);
  await home.remove();
});

/** The command that users run, until it says where clients connect. */
async function startBridge(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, '--port', '0', '--host', '127.0.0.1', '--log-level', 'error', ...args], {
    env,
    cwd: home.workFolder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += String(chunk);
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await until('the address', async () => /^Auth token: \S{64}\nConnect: {4}(ws:\S+\?token=\S{64})\n$/u.exec(printed)?.[1]);
  return {
    url,
    end: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

async function connect(url: string) {
  const socket = new WebSocket(url);
  const frames: Frame[] = [];
  socket.on('message', (data) => frames.push(JSON.parse(String(data)) as Frame));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const found = (fits: (frame: Frame) => boolean) => until('a frame', async () => frames.find(fits));
  return { socket, frames, found, send: (frame: object) => socket.send(JSON.stringify(frame)) };
}

const textOf = (frames: readonly Frame[], id: string) =>
  frames.flatMap(({ type, requestId, content, thinking }) => (type === 'chunk' && requestId === id && !thinking ? [content] : [])).join('');

describe('clients of agent-ws', () => {
  const open = () => connect(`${agentWs.url}&version=1.2`);

  test.concurrent.each(['claude', 'codex', 'gemini'])(
    '%s answers, edits, goes on with its conversation, stops, and fails in words',
    async (provider) => {
      const client = await open();
      const ask = async (prompt: string) => {
        const requestId = crypto.randomUUID();
        client.send({ type: 'prompt', prompt, requestId, provider, projectId: `of-${provider}`, systemPrompt: `You are ${provider}.` });
        const end = await client.found(({ type, requestId: id }) => id === requestId && (type === 'complete' || type === 'error'));
        return { end: end['type'], message: end['message'], text: textOf(client.frames, requestId) };
      };
      expect(await ask('say: hello from here')).toMatchObject({ end: 'complete', text: 'hello from here' });
      expect(await ask('edit file: made.txt | some words && then say: edited')).toMatchObject({ end: 'complete', text: 'edited' });
      const change = client.frames.findLast(({ type }) => type === 'file_change');
      expect(change).toMatchObject({ path: 'made.txt', changeType: 'create', content: 'some words\n' });
      const project = join(home.home, '.agent-relay/bridge/sessions', `of-${provider}`);
      expect(await readFile(join(project, 'made.txt'), 'utf8')).toBe('some words\n');
      const starting = ask('slow 200 100');
      await client.found(({ type, content }) => type === 'chunk' && String(content).includes('word'));
      client.send({ type: 'cancel' });
      expect(await starting).toMatchObject({ end: 'error', message: 'Request cancelled' });
      expect(await ask('say: still here')).toMatchObject({ end: 'complete', text: 'still here' });
      expect((await ask('error 400')).end).toBe('error');
      client.socket.close();
    },
  );

  test('Claude in agentic mode has no shell, whatever the project says, and is told to keep to relative paths', async () => {
    const client = await connect(agentWs.url);
    const files = [{ path: '.claude/settings.json', content: JSON.stringify({ permissions: { allow: ['Bash(*)'] } }) }];
    const before = anthropic.requests.length;
    client.send({ type: 'prompt', requestId: 'r', projectId: 'shell', prompt: 'run command: touch ran.txt && then say: tried', files });
    await client.found(({ type, requestId }) => requestId === 'r' && (type === 'complete' || type === 'error'));
    await expect(readFile(join(home.home, '.agent-relay/bridge/sessions/shell/ran.txt'))).rejects.toThrow('ENOENT');
    const offered = anthropic.requests.slice(before).map(({ body }) => body as { tools?: readonly { name: string }[]; system?: unknown });
    expect(new Set(offered.flatMap(({ tools = [] }) => tools.map(({ name }) => name)))).toEqual(
      new Set(['Read', 'Write', 'Edit', 'Glob', 'Grep']),
    );
    expect(JSON.stringify(offered)).toContain('paths relative to it');
    // It is told to call what it is not offered: that is what is tested.
    anthropic.takeViolations();
    client.socket.close();
  });

  test('Claude in agentic mode sees no other project', async () => {
    const sessions = join(home.home, '.agent-relay/bridge/sessions');
    await mkdir(join(sessions, 'other'), { recursive: true });
    await writeFile(join(sessions, 'other', 'secret.txt'), 'words of another project');
    const client = await connect(agentWs.url);
    const before = anthropic.requests.length;
    const read = `call Read ${JSON.stringify({ file_path: join(sessions, 'other', 'secret.txt') })}`;
    const search = `call Grep ${JSON.stringify({ pattern: 'words', path: sessions, output_mode: 'content' })}`;
    client.send({ type: 'prompt', requestId: 'r', projectId: 'curious', prompt: `${read} && then ${search} && then say: tried` });
    await client.found(({ type, requestId }) => requestId === 'r' && type === 'complete');
    expect(textOf(client.frames, 'r')).toBe('tried');
    const asked = JSON.stringify(anthropic.requests.slice(before).map(({ body }) => body));
    expect(asked).toContain('read files inside');
    expect(asked).not.toContain('words of another project');
    client.socket.close();
  });

  test('pictures reach the model', async () => {
    const client = await connect(agentWs.url);
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    for (const [provider, endpoint] of [
      ['claude', anthropic],
      ['codex', openAi],
    ] as const) {
      const before = endpoint.requests.length;
      const images = [{ media_type: 'image/png', data: pixel }];
      client.send({ type: 'prompt', requestId: provider, provider, projectId: 'pictures', prompt: 'say: seen', images });
      expect(await client.found(({ type, requestId }) => requestId === provider && type === 'complete')).toBeDefined();
      expect(JSON.stringify(endpoint.requests.slice(before).map(({ body }) => body))).toContain(pixel.slice(0, 40));
    }
    client.socket.close();
  });

  test.skipIf(!hasBrowser)('a page with nothing but its WebSocket streams a reply from each', async () => {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      const replies = await page.evaluate(
        ([url = '', ...providers]) =>
          new Promise<Record<string, string[]>>((resolve, reject) => {
            const socket = new globalThis.WebSocket(url);
            const pieces: Record<string, string[]> = Object.fromEntries(providers.map((provider) => [provider, []]));
            let open = providers.length;
            socket.onopen = () => {
              for (const provider of providers)
                socket.send(
                  JSON.stringify({ type: 'prompt', prompt: 'slow 5 30', requestId: provider, provider, projectId: 'page', queue: true }),
                );
            };
            socket.onmessage = ({ data }) => {
              const { type, requestId, content } = JSON.parse(String(data));
              if (type === 'error') reject(new Error(String(data)));
              if (type === 'chunk') pieces[requestId]?.push(content);
              if (type === 'complete' && --open === 0) resolve(pieces);
            };
          }),
        [`${agentWs.url}&version=1.2`, 'claude', 'codex', 'gemini'],
      );
      for (const [provider, pieces] of Object.entries(replies)) expect(pieces.length, provider).toBeGreaterThan(1);
    } finally {
      await browser.close();
    }
  });
});

describe('clients of ai-relay', () => {
  test.concurrent.each(['claude-code', 'codex', 'gemini'])(
    '%s starts, answers, runs a command, stops, begins anew, and ends with all it runs',
    async (tool) => {
      const folder = await home.makeFolder(`folder-of-${tool}`);
      const client = await connect(aiRelay.url);
      client.send({ tool, folder });
      const response = async (text: string) => {
        const after = client.frames.length;
        client.send({ text });
        const answer = await until('the response', async () =>
          client.frames.slice(after).find(({ type }) => type === 'response' || type === 'error'),
        );
        if (answer['type'] === 'error') throw new Error(`${tool} answered ${JSON.stringify(text)} with ${JSON.stringify(answer)}`);
        return answer;
      };
      expect(await response('say: hello')).toMatchObject({ type: 'response', text: 'hello', status: 'finished' });
      expect(client.frames[0]).toMatchObject({ type: 'session_start', metadata: { tool } });
      await response('run command: echo ran > out.txt && then say: done');
      expect(await readFile(join(folder, 'out.txt'), 'utf8')).toBe('ran\n');
      const call = client.frames.find(({ type }) => type === 'tool_call');
      expect(client.frames.filter(({ type, tool_use_id: id }) => type === 'tool_result' && id === call?.['tool_use_id'])).toHaveLength(1);
      const stopped = response('slow 200 100');
      await client.found(({ type, text }) => type === 'user_message' && text === 'slow 200 100');
      client.send({ type: 'interrupt' });
      expect(await stopped).toMatchObject({ type: 'response', status: 'interrupted' });
      client.send({ text: '/clear' });
      expect(await response('say: anew')).toMatchObject({ text: 'anew' });
      client.send({ text: `run command: tail -f /dev/null ${folder}/out.txt` });
      await until('the command', async () => (await followers(folder)).length > 0);
      client.socket.close();
      await until('the end of what it ran', async () => !(await followers(folder)).length);
    },
  );
});

test('ai-relay: cortex, and generic with the command of this machine', async () => {
  for (const [tool, said] of [
    ['cortex', /^from cortex$/u],
    ['generic', /HELLO THERE\n?$/u],
  ] as const) {
    const client = await connect(aiRelay.url);
    client.send({ tool, folder: '.' });
    await client.found(({ type }) => type === 'session_start');
    client.send({ text: 'hello there' });
    const answer = await client.found(({ type }) => type === 'response' || type === 'error');
    expect(answer).toMatchObject({ type: 'response', text: expect.stringMatching(said), status: 'finished' });
    client.socket.close();
  }
});

/** The processes of commands that agents were told to run in the folder. */
async function followers(folder: string): Promise<readonly number[]> {
  const found = await Promise.all(
    (await processesMentioning(mark)).map(async (pid) => {
      const line = (await commandLineOf(pid)) ?? [];
      return line.slice(0, 4).join(' ') === `tail -f /dev/null ${folder}/out.txt` ? [pid] : [];
    }),
  );
  return found.flat();
}
