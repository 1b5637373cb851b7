import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdir, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { connect, type Frame, startBridge, tempFolder } from './bridge-world.ts';

const prompt = (text: string, more: object = {}) => ({ type: 'prompt', prompt: text, requestId: 'r1', ...more });
const ofRequest = (frames: readonly Frame[], id: string) => frames.filter(({ requestId }) => requestId === id);

describe('connecting', () => {
  test('the first frame says who answers', async () => {
    const { url } = await startBridge({ mode: 'agentic' });
    const client = await connect(`${url}/any/path`);
    expect(await client.next(() => true)).toEqual({ type: 'connected', version: '1.1', agent: 'agent-ws', mode: 'agentic' });
  });

  test.each([
    ['a wrong origin', '?token=secret', { origin: 'http://evil.example' }, 4003, 'Origin not allowed'],
    ['no origin', '?token=secret', {}, 4003, 'Origin not allowed'],
    ['a wrong token', '?token=secreT', { origin: 'http://good.example' }, 4401, 'Invalid or missing auth token'],
    ['no token', '', { origin: 'http://good.example' }, 4401, 'Invalid or missing auth token'],
  ])('%s is refused by a close frame, after the upgrade and before a word', async (_what, query, options, code, reason) => {
    const { url } = await startBridge({ authToken: 'secret', allowedOrigins: ['http://good.example'] });
    const client = await connect(`${url}${query}`, options);
    expect(await client.closed).toEqual({ code, reason });
    expect(client.frames).toEqual([]);
    const good = await connect(`${url}?token=secret`, { origin: 'http://good.example' });
    expect(await good.next(() => true)).toMatchObject({ type: 'connected' });
  });

  test('an address has ten connections, and room again for each that ends', async () => {
    const { url } = await startBridge({ maxConnectionsPerAddress: 2 });
    const first = await connect(url);
    await connect(url);
    expect(await (await connect(url)).closed).toEqual({ code: 4029, reason: 'Too many connections' });
    first.socket.close();
    await first.closed;
    await expect.poll(async () => (await connect(url)).frames.length).toBeGreaterThan(0);
  });

  test('every half a minute all are asked for a sign of life, and who gave none since the last time is cut off', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { url, bridge } = await startBridge();
      const [alive, dead] = [await connect(url), await connect(url, { autoPong: false })];
      vi.advanceTimersByTime(29_999);
      const asked = Promise.all([alive, dead].map(({ socket }) => new Promise((resolve) => socket.once('ping', resolve))));
      vi.advanceTimersByTime(1);
      await asked;
      // It has answered by then: frames keep their order.
      alive.send({ type: 'capabilities' });
      await alive.next(({ type }) => type === 'capabilities');
      vi.advanceTimersByTime(30_000);
      expect((await dead.closed).code).toBe(1006);
      expect(alive.socket.readyState).toBe(alive.socket.OPEN);
      await bridge.stop();
    } finally {
      vi.useRealTimers();
    }
  });

  test('what is no WebSocket is told to be one', async () => {
    const { port } = await startBridge();
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(426);
  });
});

describe('what is sent', () => {
  const invalid: readonly (readonly [what: string, frame: unknown, message: string])[] = [
    ['no JSON', '{', 'Invalid JSON'],
    ['an array', [], 'Message must be a JSON object'],
    ['null', 'null', 'Message must be a JSON object'],
    ['no type', {}, "Missing or invalid 'type' field"],
    ['a long type', { type: 'x'.repeat(60) }, `Unknown message type: ${'x'.repeat(50)}`],
    ['a type of 1.2', { type: 'attach', sessionId: 's' }, 'Unknown message type: attach'],
    ['no prompt', { type: 'prompt' }, "Missing or empty 'prompt' field"],
    ['a huge prompt', prompt('ä'.repeat(262_145)), 'Prompt exceeds maximum size of 524288 bytes'],
    ['no id', { type: 'prompt', prompt: 'x' }, "Missing or empty 'requestId' field"],
    ['a long id', prompt('x', { requestId: 'x'.repeat(257) }), 'requestId exceeds maximum length of 256'],
    ['a long system prompt', prompt('x', { systemPrompt: 'x'.repeat(65_537) }), 'System prompt exceeds maximum size of 65536 bytes'],
    ['a long project', prompt('x', { projectId: 'x'.repeat(129) }), 'projectId exceeds maximum length of 128'],
    [
      'an odd project',
      prompt('x', { projectId: '' }),
      'projectId contains invalid characters (allowed: alphanumeric, hyphens, underscores, dots)',
    ],
    ['five images', prompt('x', { images: [1, 2, 3, 4, 5] }), 'Too many images (max 4)'],
    ['no image', prompt('x', { images: [1] }), 'Each image must be an object with media_type and data'],
    ['half an image', prompt('x', { images: [{}] }), 'Each image must have string media_type and data fields'],
    [
      'an odd image',
      prompt('x', { images: [{ media_type: 'image/bmp', data: '' }] }),
      'Unsupported image type: image/bmp (allowed: png, jpeg, gif, webp)',
    ],
    [
      'a huge image',
      prompt('x', { images: [{ media_type: 'image/png', data: 'x'.repeat(10_485_761) }] }),
      'Image exceeds maximum size of 10485760 bytes',
    ],
    ['101 files', prompt('x', { files: Array(101).fill(1) }), 'Too many files (max 100)'],
    ['no file', prompt('x', { files: [1] }), 'Each file must be an object with path and content'],
    ['half a file', prompt('x', { files: [{ path: 'x' }] }), 'Each file must have string path and content fields'],
    ['a file without a name', prompt('x', { files: [{ path: '', content: '' }] }), 'File path must not be empty'],
    ['a strange provider', prompt('x', { provider: 'gemini' }), 'Unknown provider: gemini (allowed: claude, codex)'],
    ['a system prompt that no process can be given', prompt('x', { systemPrompt: 'a\0b' }), "Invalid 'systemPrompt' field"],
    ['an option for a model', prompt('x', { model: '--dangerously-skip-permissions' }), "Invalid 'model' field"],
  ];

  test('is judged in the words that clients know, and harms no running prompt', async () => {
    const { url } = await startBridge();
    const client = await connect(url);
    client.send(prompt('hang', { requestId: 'long' }));
    for (const [what, frame, message] of invalid) {
      client.send(frame);
      expect(await client.next(({ type }) => type === 'error'), what).toEqual({ type: 'error', message });
    }
    client.send(prompt('say x', { requestId: 'other', provider: 'codex' }));
    expect(await client.end('other')).toEqual({ type: 'error', message: 'Request already in progress', requestId: 'other' });
    client.send({ type: 'cancel', requestId: 'whatever' });
    expect(await client.end('long')).toEqual({ type: 'error', message: 'Request cancelled', requestId: 'long' });
  });

  test('binary frames hold JSON as well, and whatever cannot be read is passed over', async () => {
    const { url } = await startBridge();
    const client = await connect(url);
    const odd = { systemPrompt: 1, projectId: 2, images: 'x', files: {}, provider: '', model: 4, thinkingTokens: -1, unknown: true };
    client.socket.send(Buffer.from(JSON.stringify(prompt('say hi', odd))));
    expect(await client.end('r1')).toEqual({ type: 'complete', requestId: 'r1' });
  });

  test('capabilities are told during a prompt, and asking programs holds nobody up', async () => {
    const { url, claude } = await startBridge({ env: { PATH: await tempFolder() } });
    claude.detectMs = 1_500;
    const client = await connect(url);
    client.send(prompt('hang'));
    client.send({ type: 'capabilities' });
    client.send('{');
    expect(await client.next(({ type }) => type === 'error')).toMatchObject({ message: 'Invalid JSON' });
    expect(await client.next(({ type }) => type === 'capabilities')).toEqual({
      ...{ type: 'capabilities', agent: 'agent-ws', version: '1.1', mode: 'safe' },
      sandbox: { active: 'none', available: ['none'] },
      providers: [
        { id: 'claude', available: true, version: '1.0.0' },
        { id: 'codex', available: true, version: '1.0.0' },
      ],
    });
    expect(claude.detections).toBe(1);
  });
});

describe('a prompt', () => {
  test('is answered by what the agent says, once, and then by complete', async () => {
    const { url } = await startBridge();
    const client = await connect(url);
    client.send(prompt('say hello there'));
    await client.end('r1');
    expect(ofRequest(client.frames, 'r1')).toEqual([
      { type: 'chunk', content: 'hello there', requestId: 'r1' },
      { type: 'complete', requestId: 'r1' },
    ]);
  });

  test('remembers its system prompt for each provider until another comes, and has its own model and pictures', async () => {
    const { url } = await startBridge();
    const client = await connect(url);
    const ask = async (more: object) => {
      const requestId = crypto.randomUUID();
      client.send(prompt('echo', { requestId, projectId: 'p', ...more }));
      await client.end(requestId);
      return ofRequest(client.frames, requestId)[0]?.['content'];
    };
    const image = { media_type: 'image/png', data: 'AAAA' };
    expect(await ask({ systemPrompt: 'be brief', model: 'opus' })).toBe('opus|be brief|0');
    expect(await ask({ images: [image] })).toBe('none|be brief|1');
    expect(await ask({ provider: 'codex' })).toBe('none||0');
    expect(await ask({ systemPrompt: '' })).toBe('none||0');
  });

  test('goes on with its project, in the same process, for other connections and after another start', async () => {
    const { url, claude, bridge, sessionDir, folder } = await startBridge();
    const first = await connect(url);
    for (const requestId of ['a', 'b']) {
      first.send(prompt('say x', { requestId, projectId: 'p' }));
      await first.end(requestId);
    }
    expect(claude.starts.map(({ cwd }) => cwd)).toEqual([join(sessionDir, 'p')]);
    expect((await stat(join(sessionDir, 'p'))).mode & 0o777).toBe(0o700);
    const second = await connect(url);
    second.send(prompt('say y', { requestId: 'c', projectId: 'p' }));
    await second.end('c');
    expect(claude.starts).toHaveLength(1);
    expect(first.frames.filter(({ requestId }) => requestId === 'c')).toEqual([]);
    await bridge.stop();
    const again = await startBridge({ sessionDir, cwd: folder });
    const third = await connect(again.url);
    third.send(prompt('say z', { projectId: 'p' }));
    await third.end('r1');
    expect(again.claude.starts[0]?.resume).toBe(claude.sessions[0]?.vendorSessionId);
  });

  test('without a project begins a conversation of its own, on a process that was started ahead', async () => {
    const { url, claude, folder } = await startBridge();
    const client = await connect(url);
    client.send(prompt('say x', { requestId: 'a' }));
    await client.end('a');
    await expect.poll(() => claude.sessions.length).toBe(2);
    client.send(prompt('say y', { requestId: 'b' }));
    await client.end('b');
    expect(claude.sessions.slice(0, 2).map(({ prompts }) => prompts.map(({ text }) => text))).toEqual([['say x'], ['say y']]);
    expect(claude.starts.map(({ cwd, resume }) => [cwd, resume])).toContainEqual([folder, undefined]);
    await expect.poll(() => claude.closedCount).toBe(2);
    client.socket.close();
    await expect.poll(() => claude.closedCount).toBe(claude.sessions.length);
  });

  test('that fails says why', async () => {
    const { url } = await startBridge();
    const client = await connect(url);
    client.send(prompt('say x', { model: 'broken' }));
    expect(await client.end('r1')).toEqual({ type: 'error', message: 'The model is broken', requestId: 'r1' });
    client.send(prompt('crash 3', { requestId: 'r2' }));
    expect(await client.end('r2')).toEqual({ type: 'error', message: 'Claude CLI exited with code 3: out of luck', requestId: 'r2' });
    client.send(prompt('say alive', { requestId: 'r3' }));
    expect(await client.end('r3')).toEqual({ type: 'complete', requestId: 'r3' });
  });

  test('takes no longer than it may', async () => {
    const { url } = await startBridge({ timeoutMs: 200 });
    const client = await connect(url);
    client.send(prompt('hang', { projectId: 'p' }));
    expect(await client.end('r1')).toEqual({ type: 'error', message: 'Process timed out', requestId: 'r1' });
    client.send(prompt('say x', { projectId: 'p', requestId: 'r2' }));
    expect(await client.end('r2')).toEqual({ type: 'complete', requestId: 'r2' });
  });

  test('shows what an edit came to, read after it was made', async () => {
    const { url, sessionDir } = await startBridge({ mode: 'agentic' });
    const client = await connect(url);
    const files = [{ path: 'src/a.txt', content: 'new words' }];
    client.send(prompt('edit src/a.txt', { projectId: 'p', files }));
    await client.end('r1');
    const change = { type: 'file_change', requestId: 'r1', path: 'src/a.txt', changeType: 'update' };
    expect(ofRequest(client.frames, 'r1').slice(0, 2)).toEqual([change, { ...change, content: 'new words' }]);
    expect(await readFile(join(sessionDir, 'p', 'src/a.txt'), 'utf8')).toBe('new words');
  });
});

/** What ends or spoils a bridge of this kind elsewhere; each leaves this one as it was. */
describe('defects that are absent', () => {
  const sendRaw = (port: number, text: string) =>
    new Promise<void>((resolve) => {
      const socket = connectTcp(port, '127.0.0.1', () => socket.end(text));
      socket.on('error', () => resolve()).on('close', () => resolve());
      socket.resume();
    });
  const upgrade = (target: string, host = '127.0.0.1') =>
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`;

  test.each([
    ['an upgrade for //', upgrade('//')],
    ['a host that is none', upgrade('/', '][')],
    ['a refused client that sends a malformed frame', `${upgrade('/')}\xff\xff\xff\xff`],
    ['no HTTP at all', '\0\0\0\0\r\n\r\n'],
  ])('%s ends nothing', async (_what, text) => {
    const { url, port } = await startBridge({ authToken: 'secret' });
    await sendRaw(port, text);
    const client = await connect(`${url}?token=secret`);
    client.send(prompt('say x'));
    expect(await client.end('r1')).toMatchObject({ type: 'complete' });
  });

  test('a malformed frame of one client ends that connection alone', async () => {
    const { url } = await startBridge();
    const [odd, good] = [await connect(url), await connect(url)];
    Reflect.get(odd.socket, '_socket').write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await odd.closed;
    good.send(prompt('say x'));
    expect(await good.end('r1')).toMatchObject({ type: 'complete' });
  });

  test.each([
    ['.', 'the folder itself'],
    ['a\0b', 'a name that is none'],
    ['x'.repeat(300), 'a name that is too long'],
    ['file/below', 'below a file'],
    ['../outside.txt', 'outside'],
    ['link/outside.txt', 'through a link'],
    ['.claude/settings.json', 'settings that run commands'],
    ['.git/hooks/pre-commit', 'a hook'],
  ])('a file %j (%s) is passed over', async (path) => {
    const { url, sessionDir, folder } = await startBridge({ mode: 'agentic' });
    const project = join(sessionDir, 'p');
    await mkdir(project, { recursive: true });
    await writeFile(join(project, 'file'), 'kept');
    await symlink(folder, join(project, 'link'));
    const client = await connect(url);
    client.send(
      prompt('say x', {
        projectId: 'p',
        files: [
          { path, content: 'bad' },
          { path: 'good.txt', content: 'good' },
        ],
      }),
    );
    expect(await client.end('r1')).toEqual({ type: 'complete', requestId: 'r1' });
    expect(await readFile(join(project, 'good.txt'), 'utf8')).toBe('good');
    expect(await readFile(join(project, 'file'), 'utf8')).toBe('kept');
    for (const escaped of [join(sessionDir, 'outside.txt'), join(folder, 'outside.txt'), join(project, '.claude'), join(project, '.git')])
      await expect(stat(escaped), escaped).rejects.toThrow('ENOENT');
  });

  test.runIf(process.platform !== 'win32')('pipes in a project hold nobody up, read or not', async () => {
    const { url, sessionDir } = await startBridge({ mode: 'agentic' });
    const project = join(sessionDir, 'p');
    await mkdir(project, { recursive: true });
    const pipes = ['a', 'b', 'c', 'd', 'e', 'read'].map((name) => join(project, name));
    execFileSync('mkfifo', pipes);
    const reader = await open(join(project, 'read'), constants.O_RDONLY | constants.O_NONBLOCK);
    const client = await connect(url);
    const files = pipes.map((path) => ({ path: basename(path), content: 'bad' }));
    client.send(prompt('say x', { projectId: 'p', files: [...files, { path: 'good', content: 'good' }] }));
    const end = await Promise.race([client.end('r1'), pause(60_000, 'held up', { ref: false })]);
    const read = await reader.read(Buffer.alloc(10), 0, 10);
    // Whoever waits in open is let go, so that the test can end.
    for (const pipe of pipes) await (await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK)).close();
    await reader.close();
    expect(end).toEqual({ type: 'complete', requestId: 'r1' });
    expect(read.bytesRead).toBe(0);
    expect(await readFile(join(project, 'good'), 'utf8')).toBe('good');
  });

  test("a project's own CLAUDE.md stays as it is", async () => {
    const { url, sessionDir } = await startBridge({ mode: 'agentic' });
    const client = await connect(url);
    client.send(prompt('echo', { projectId: 'p', systemPrompt: 'mine', files: [{ path: 'CLAUDE.md', content: 'ours' }] }));
    await client.end('r1');
    expect(await readFile(join(sessionDir, 'p', 'CLAUDE.md'), 'utf8')).toBe('ours');
    const [said] = ofRequest(client.frames, 'r1');
    expect(said?.['content']).toMatch(/relative[\s\S]*mine/u);
  });

  test.each(['.', '..'])('project %j is none, for it would see the others', async (projectId) => {
    const { url } = await startBridge();
    const client = await connect(url);
    client.send(prompt('say x', { projectId }));
    expect(await client.end('r1')).toEqual({ type: 'error', message: 'Invalid projectId', requestId: 'r1' });
  });

  test('a project whose name begins with dots is one', async () => {
    const { url, claude, sessionDir } = await startBridge();
    const client = await connect(url);
    client.send(prompt('say x', { projectId: '..x' }));
    expect(await client.end('r1')).toMatchObject({ type: 'complete' });
    expect(claude.starts[0]?.cwd).toBe(join(sessionDir, '..x'));
  });

  test('cancel and a new prompt at once: nothing of the old one comes late, and the new one can be cancelled', async () => {
    const { url, claude } = await startBridge();
    const client = await connect(url);
    client.send(prompt('end late words', { requestId: 'old', projectId: 'p' }));
    await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
    client.send({ type: 'cancel' });
    client.send(prompt('say new words', { requestId: 'new', projectId: 'p' }));
    await client.end('new');
    expect(ofRequest(client.frames, 'old')).toEqual([{ type: 'error', message: 'Request cancelled', requestId: 'old' }]);
    expect(ofRequest(client.frames, 'new')).toEqual([
      { type: 'chunk', content: 'new words', requestId: 'new' },
      { type: 'complete', requestId: 'new' },
    ]);
    client.send(prompt('hang', { requestId: 'third', projectId: 'p' }));
    await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(3);
    client.send({ type: 'cancel' });
    expect(await client.end('third')).toMatchObject({ message: 'Request cancelled' });
    expect(claude.sessions).toHaveLength(1);
  });

  test.each(['mute', 'deaf'])(
    'a prompt that never came to a turn (%s) is cancelled with its process, so that it does not come to one later',
    async (text) => {
      const { url, claude } = await startBridge();
      const client = await connect(url);
      client.send(prompt(text, { requestId: 'old', projectId: 'p' }));
      await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
      client.send({ type: 'cancel' });
      client.send(prompt('say new', { requestId: 'new', projectId: 'p' }));
      expect(await client.end('new')).toMatchObject({ type: 'complete' });
      expect(claude.closedCount).toBe(1);
    },
  );

  test('a client that goes away ends its agent', async () => {
    const { url, claude } = await startBridge();
    const client = await connect(url);
    client.send(prompt('hang', { projectId: 'p' }));
    await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
    client.socket.terminate();
    await expect.poll(() => claude.closedCount).toBe(1);
  });

  test('a client that does not read holds its agent up, loses nothing, and costs little', async () => {
    const { url, claude } = await startBridge({ timeoutMs: 60_000 });
    const client = await connect(url);
    const count = 40_000;
    client.socket.pause();
    client.send(prompt(`stream ${count}`, { projectId: 'p' }));
    await expect.poll(() => claude.sessions[0]?.emitted ?? 0).toBeGreaterThan(1_000);
    let before = -1;
    await expect
      .poll(
        () => {
          const now = claude.sessions[0]?.emitted ?? 0;
          const isStill = now === before;
          before = now;
          return isStill;
        },
        { interval: 300 },
      )
      .toBe(true);
    // What the sockets of the system and our bounds hold: far from all.
    expect(before).toBeLessThan(count * 0.8);
    client.socket.resume();
    await client.end('r1');
    const text = client.frames.map(({ content = '' }) => String(content)).join('');
    expect(text.split('\n').map((line) => line.split(' ')[0])).toEqual([...Array.from({ length: count }, (_, at) => String(at)), '']);
  });

  test('a stop lets what runs end, takes nothing new, and says goodbye', async () => {
    const { url, bridge, claude } = await startBridge();
    const client = await connect(url);
    client.send(prompt('hang', { projectId: 'p' }));
    await expect.poll(() => claude.sessions[0]?.prompts.length).toBe(1);
    const stopping = bridge.stop();
    expect(await client.next(({ type }) => type === 'error')).toEqual({ type: 'error', message: 'Server is shutting down' });
    const late = await connect(url);
    expect(await late.closed).toEqual({ code: 1001, reason: 'Server is shutting down' });
    client.send({ type: 'cancel' });
    await client.end('r1');
    client.send(prompt('say x', { requestId: 'r2', projectId: 'p' }));
    expect(await Promise.race([client.end('r2'), client.closed])).toMatchObject({});
    await stopping;
    expect((await client.closed).code).toBe(1001);
    expect(client.frames.some(({ type, requestId }) => type === 'complete' && requestId === 'r2')).toBe(false);
    expect(claude.closedCount).toBe(claude.sessions.length);
    await pause(0);
  });

  test('a bridge without any agent does not start, and says what to install', async () => {
    const { ScriptedProvider } = await import('./scripted-provider.ts');
    const missing = new ScriptedProvider('claude');
    missing.isInstalled = false;
    await expect(startBridge({ providers: [missing] })).rejects.toThrow(/No agent can be started here. claude is not installed/u);
  });

  test('a port that is taken is said in words', async () => {
    const { port } = await startBridge();
    await expect(startBridge({ port })).rejects.toThrow(`Port ${port} is in use; take another with --port`);
  });
});
