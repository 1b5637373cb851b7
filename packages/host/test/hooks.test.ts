import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AgentEvent, type HookResult, HooksFileSchema, type InboxItem } from 'agent-relay-protocol';
import { readPowerShell } from 'agent-relay-testing';
import { silentLog } from 'agent-relay-wire';
import { isSigned, readYaml, SIGNATURE_HEADER } from 'agent-relay-wire/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Hooks } from '../src/hooks/hooks.ts';
import { notifierOf, notifyDesktop } from '../src/hooks/notify.ts';
import { createHost } from '../src/host.ts';
import type { Host } from '../src/host-contract.ts';
import { inboxItem, RecordingRelay } from './recording-relay.ts';
import { ScriptedProvider } from './scripted-provider.ts';

const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 60_000, interval: 100 });

let folder: string;
let relay: RecordingRelay;
let provider: ScriptedProvider;
let host: Host | null = null;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hooks-')));
  relay = new RecordingRelay();
  provider = new ScriptedProvider();
});

afterEach(async () => {
  await host?.close('test over');
  host = null;
  rmSync(folder, { recursive: true, force: true });
});

const hooksOf = (yaml: string) => readYaml(yaml, 'agent-relay.yaml', HooksFileSchema);

async function running(yaml: string, env: Readonly<Record<string, string | undefined>> = process.env): Promise<Host> {
  const hooks = hooksOf(yaml);
  const stateDir = join(folder, 'state');
  host = await createHost({
    providers: [provider],
    stateDir,
    allowedFolders: [],
    relay,
    log: silentLog,
    clock: Date,
    env,
    hooks: () => hooks,
  });
  const session = {
    // No other file's: a host ends what is marked with a session's id, whoever started it.
    sessionId: 'hooked',
    agentId: 'Worker',
    nodeId: 'n1',
    provider: 'scripted',
    instanceId: 'i1',
    epoch: 1,
    status: 'starting',
    mode: 'agentic',
    ask: false,
    cwd: null,
    model: null,
    spawnedBy: null,
    startedAt: 0,
    endedAt: null,
    reason: null,
    vendorSessionId: null,
    sandbox: 'none',
    sandboxReason: null,
  } as const;
  await host.start({ session, task: null, cwd: folder, within: null, mode: 'agentic', approval: 'open', model: null, mcp: [] });
  return host;
}

const events = (): AgentEvent[] =>
  host?.buffers.flatMap((buffer) => buffer.next(10_000, Number.MAX_SAFE_INTEGER).map(({ event }) => event)) ?? [];
const runs = () => events().flatMap((event) => (event.type === 'hook.completed' ? [event] : []));
const mail = (id: number, body: string, kind = 'chat'): InboxItem => {
  const item = inboxItem(id, body);
  return { ...item, message: { ...item.message, kind } };
};

describe('a command', () => {
  it('gets what an event says as words, whatever it holds and however it is quoted, and never as code', async () => {
    const file = `/w/a b'"; touch ${folder}/one $(touch ${folder}/two) \`touch ${folder}/three\` & -rf *`;
    await running(`
hooks:
  scripted:
    on_file_change:
      - command: ["printf", "%s|", "\${file}", "\${change}"]
      - command: 'printf "%s|" \${file} "\${file}" "in \${file}"'
      - command: printf '%s|' "$HOOK_FILE" "$HOOK_AGENT"
      - command: cat
`);
    host?.deliver('hooked', [mail(1, `!change ${file}`)]);
    await until(() => expect(runs()).toHaveLength(4));
    // They run beside each other: each is found by its place in the file.
    const ended = runs().toSorted((one, other) => (one.hook < other.hook ? -1 : 1));
    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0]);
    const [argv, shell, variable, stdin] = ended.map(({ output }) => output);
    expect(argv).toBe(`${file}|updated|`);
    expect(shell).toBe(`${file}|${file}|in ${file}|`);
    expect(variable).toBe(`${file}|Worker|`);
    expect(JSON.parse(stdin ?? '')).toMatchObject({ trigger: 'file_change', fields: { agent: 'Worker', file, cwd: folder } });
    expect(readdirSync(folder)).toEqual(['state']);
  });

  it('that runs too long ends with what it started; the next run of the same hook begins after it', async () => {
    await running(`
hooks:
  '*':
    on_turn_complete:
      - command: sleep 300 & echo child $!; wait
        timeout: 300ms
`);
    host?.deliver('hooked', [mail(1, 'one')]);
    await until(() => expect(runs()).toHaveLength(1));
    const [run] = runs();
    expect(run).toMatchObject({ outcome: 'timed_out', detail: 'It was ended after 0.3 s' });
    const pid = Number(/child (\d+)/u.exec(run?.output ?? '')?.[1]);
    await until(() => expect(existsSync(`/proc/${pid}/exe`)).toBe(false));
  });

  it('that fails after a change tells the agent, three times in a row at most, as words that are nobody’s', async () => {
    await running(`
hooks:
  agent:Worker:
    on_file_change:
      - command: "echo '!change /w/again.ts [msg:1] from owner'; exit 4"
        feedback: true
`);
    host?.deliver('hooked', [mail(1, '!change /w/a.ts')]);
    // What it reads makes it change the file again: without an end this would go on for ever.
    await until(() => expect(provider.prompts).toHaveLength(4));
    await until(() => expect(runs()).toHaveLength(4));
    expect(provider.prompts[1]).toMatchObject({ isMail: true, messageIds: [], mode: 'next' });
    expect(provider.prompts[1]?.text).toMatch(/^\[agent-relay\] The hook .* failed after what you did \(exit code 4\):\n.*\[\\msg:1\]/u);
    expect(provider.prompts[3]?.text).toContain('You are not told again until somebody writes to you');
    host?.deliver('hooked', [mail(2, 'thank you')]);
    await until(() => expect(provider.prompts).toHaveLength(5));
  });

  it('runs once for a burst that would do the same, and once for each of what differs', async () => {
    await running(`
hooks:
  scripted:
    on_file_change:
      - command: echo all
        debounce: 200ms
      - command: echo \${file}
        debounce: 200ms
`);
    host?.deliver('hooked', [mail(1, '!change /w/a.ts\n!change /w/b.ts\n!change /w/a.ts')]);
    await until(() => expect(runs()).toHaveLength(3));
    expect(
      runs()
        .map(({ output }) => output)
        .toSorted(),
    ).toEqual(['/w/a.ts\n', '/w/b.ts\n', 'all\n']);
  });

  it('that waits for quiet does so a hundred times at most, and the rest is told once', async () => {
    await running(`
hooks:
  scripted:
    on_file_change:
      - { command: ["true", "\${file}"], debounce: 2s, concurrency: 16 }
`);
    host?.deliver('hooked', [mail(1, Array.from({ length: 103 }, (_, index) => `!change /w/${index}.ts`).join('\n'))]);
    await until(() => expect(runs()).toHaveLength(101));
    expect(runs()[0]).toMatchObject({ outcome: 'skipped', detail: expect.stringContaining('More than 100 different runs') });
    expect(runs().filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(100);
  });

  it('is not run for a session that works elsewhere', () => {
    const hooks = hooksOf('hooks:\n  codex:\n    on_released:\n      - command: ls\n      - relay: Lead\n');
    const all = new Hooks({ current: () => hooks, env: () => ({}), now: () => 0, log: silentLog });
    const actions = (cwd: string | null) =>
      all.matching({ agentId: 'W', provider: 'codex', cwd }, { trigger: 'released', said: {} }).map(({ action }) => action.type);
    expect([actions('/work'), actions(null)]).toEqual([['command', 'relay'], ['relay']]);
  });
});

describe('a trial', () => {
  it('runs in the hook’s own folder, with files of that folder, one at a time, after what runs', async () => {
    await running(`
hooks:
  scripted:
    on_file_change:
      - name: slow
        cwd: ${folder}
        command: echo begun >> order; while [ ! -e go ]; do sleep 0.05; done; echo ended >> order; pwd
      - { name: show, cwd: ${folder}, command: ["echo", "\${file}", "\${cwd}"] }
`);
    host?.deliver('hooked', [mail(1, '!change /w/a.ts')]);
    await until(() => expect(existsSync(join(folder, 'order'))).toBe(true));
    const trial = host?.testHook('slow', { cwd: '/' });
    await expect(host?.testHook('show', {})).rejects.toMatchObject({ code: 'busy' });
    expect(readFileSync(join(folder, 'order'), 'utf8')).toBe('begun\n');
    writeFileSync(join(folder, 'go'), '');
    expect(await trial).toMatchObject({ outcome: 'succeeded', output: `${folder}\n` });
    expect(readFileSync(join(folder, 'order'), 'utf8')).toBe('begun\nended\nbegun\nended\n');
    for (const file of ['/etc/passwd', '../a.ts', `${folder}/../a.ts`])
      await expect(host?.testHook('show', { file })).rejects.toMatchObject({
        code: 'validation_failed',
        issues: [{ path: 'fields.file', message: `must lie in ${folder}, where the hook is tried` }],
      });
    expect(await host?.testHook('show', { file: 'a.ts', cwd: '/etc' })).toMatchObject({ output: `a.ts ${folder}\n` });
  });
});

describe('a message', () => {
  const yaml = `
hooks:
  scripted:
    on_turn_complete:
      - relay: "#audit"
      - relay: Lead
        body: "\${agent} is done"
        name: tell
`;
  it('says whose event it was, begins no turns of many, and is not sent about a turn that such mail began', async () => {
    await running(yaml);
    host?.deliver('hooked', [mail(1, 'work')]);
    await until(() => expect(runs()).toHaveLength(2));
    expect(relay.sent).toMatchObject([
      {
        to: '#audit',
        kind: 'hook',
        mode: 'fyi',
        body: expect.stringMatching(/^Worker \(scripted\): turn complete\n/u),
        meta: { hook: 'scripted.on_turn_complete[0]', trigger: 'turn_complete', agentId: 'Worker', sessionId: 'hooked' },
      },
      { to: 'Lead', mode: 'next', body: 'Worker is done', meta: { hook: 'tell' } },
    ]);
    host?.deliver('hooked', [mail(2, 'Lead: turn complete', 'hook')]);
    await until(() => expect(runs()).toHaveLength(4));
    expect(relay.sent).toHaveLength(2);
    expect(
      runs()
        .slice(2)
        .map(({ outcome }) => outcome),
    ).toEqual(['skipped', 'skipped']);
    host?.deliver('hooked', [mail(3, 'go on')]);
    await until(() => expect(relay.sent).toHaveLength(4));
    // A hook's word that comes into a turn of somebody else's.
    host?.deliver('hooked', [mail(4, '!hang')]);
    await until(() => expect(events().filter(({ type }) => type === 'turn.started')).toHaveLength(4));
    const late = mail(5, 'Lead: turn complete', 'hook');
    host?.deliver('hooked', [{ ...late, message: { ...late.message, mode: 'now' } }]);
    await until(() => expect(provider.prompts).toHaveLength(5));
    await host?.interrupt('hooked');
    await until(() => expect(relay.sent).toHaveLength(6));
  });

  it('is not sent by a trial, which shows it', async () => {
    await running(yaml);
    expect(await host?.testHook('tell', { agent: 'Max' })).toMatchObject({
      outcome: 'skipped',
      detail: expect.stringContaining('To Lead: Max is done'),
    });
    await expect(host?.testHook('another', {})).rejects.toMatchObject({ code: 'not_found' });
    expect(relay.sent).toEqual([]);
  });
});

it('what ends a session is told before its end, with the environment of the owner and none of the relay’s', async () => {
  const env = { ...process.env, MY_SECRET_TOKEN: 'mine', AGENT_RELAY_TOKEN: 'theirs' };
  await running(
    `
hooks:
  '*':
    on_released:
      - command: printf '%s/%s/%s' "$MY_SECRET_TOKEN" "$AGENT_RELAY_TOKEN" "$HOOK_REASON"
`,
    env,
  );
  await host?.release('hooked', 'enough');
  const types = events().map(({ type }) => type);
  expect(types.slice(-2)).toEqual(['hook.completed', 'session.ended']);
  expect(runs()[0]?.output).toBe('mine//closed');
});

it('a webhook is signed as callbacks are, and tried again', async () => {
  const seen: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seen.push({ headers: request.headers, body });
      response.writeHead(seen.length === 1 ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  try {
    await running(`
hooks:
  '*':
    on_message_received:
      - webhook: http://127.0.0.1:${port}/in?key=1
        secret: very-secret
`);
    host?.deliver('hooked', [mail(7, 'hello')]);
    await until(() => expect(runs()).toMatchObject([{ outcome: 'succeeded', detail: 'It answered 204' }]));
    const [first, second] = seen;
    expect(JSON.parse(second?.body ?? '')).toMatchObject({
      trigger: 'message_received',
      fields: { from: 'Lead', text: 'hello', message: '7' },
    });
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key']);
    const signature = String(second?.headers[SIGNATURE_HEADER]);
    expect(isSigned({ body: second?.body ?? '', signature, key: 'very-secret', now: Date.now() })).toBe(true);
    expect(second?.headers['x-agent-relay-event']).toBe('hook.message_received');
  } finally {
    server.close();
  }
});

describe('a standing yes', () => {
  const hooks = hooksOf(`
hooks:
  codex:
    on_approval_needed:
      - approve: { command: [npm, test], folder: /work }
`);
  const asked = (command: string): Extract<AgentEvent, { type: 'approval.requested' }> => ({
    type: 'approval.requested',
    approvalId: 'a1',
    kind: 'execute',
    title: command,
    cwd: '/work/app',
    input: { command },
    options: [{ id: 'allow', label: 'Allow once', outcome: 'allow' }],
  });

  it.each([
    ['npm test -- --watch', 'succeeded', ['a1 by hook:codex.on_approval_needed[0]']],
    ['npm test | sh', 'skipped', []],
    ['npm publish', 'skipped', []],
  ])('answers what it understands whole: %s', async (command, outcome, expected) => {
    const allowed: string[] = [];
    const session = {
      agentId: 'W',
      sessionId: 's',
      provider: 'codex',
      cwd: '/work/app',
      send: () => Promise.reject(new Error('nothing is sent')),
      allow: async (id: string, by: string) => allowed.push(`${id} by ${by}`) > 0,
    };
    const all = new Hooks({ current: () => hooks, env: () => ({}), now: () => 0, log: silentLog });
    const occurrence = { trigger: 'approval_needed' as const, said: {}, asked: asked(command) };
    const [hook] = all.matching(session, occurrence);
    if (!hook) throw new Error('The hook is not found');
    const result = await new Promise((resolve) => all.begin(all.runFor(hook, session, occurrence, false), resolve));
    expect(result).toMatchObject({ outcome, action: 'approve' });
    expect(allowed).toEqual(expected);
  });
});

it('a standing yes to edits follows no link out of its folder', async () => {
  mkdirSync(join(folder, 'project', 'src'), { recursive: true });
  mkdirSync(join(folder, 'secret'));
  symlinkSync(join(folder, 'secret'), join(folder, 'project', 'notes'));
  const hooks = hooksOf(`hooks: { codex: { on_approval_needed: [{ approve: { edit: true, folder: ${folder}/project } }] } }`);
  const all = new Hooks({ current: () => hooks, env: () => ({}), now: () => 0, log: silentLog });
  const session = {
    agentId: 'W',
    sessionId: 's',
    provider: 'codex',
    cwd: folder,
    send: () => Promise.reject(new Error('nothing is sent')),
    allow: async () => true,
  };
  const outcomeOf = async (file: string) => {
    const asked: Extract<AgentEvent, { type: 'approval.requested' }> = {
      type: 'approval.requested',
      approvalId: 'a1',
      kind: 'edit',
      title: 'Write',
      cwd: join(folder, 'project'),
      input: { file_path: join(folder, 'project', file), content: 'x' },
      options: [{ id: 'allow', label: 'Allow once', outcome: 'allow' }],
    };
    const occurrence = { trigger: 'approval_needed' as const, said: {}, asked };
    const [hook] = all.matching(session, occurrence);
    if (!hook) throw new Error('The hook is not found');
    const { outcome } = await new Promise<HookResult>((resolve) => all.begin(all.runFor(hook, session, occurrence, false), resolve));
    return outcome;
  };
  expect(await outcomeOf('src/new/a.ts')).toBe('succeeded');
  expect(await outcomeOf('notes/authorized_keys')).toBe('skipped');
  expect(await outcomeOf('notes/new/a.ts')).toBe('skipped');
});

describe('a notification', () => {
  /** A program of that name, which keeps the words that it was given. */
  const notifier = (name: string): string => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, name), `#!/bin/sh\nprintf '%s\\0' "$@" > '${join(folder, 'said')}'\n`, { mode: 0o755 });
    return `${bin}:${process.env['PATH']}`;
  };
  const said = () => readFileSync(join(folder, 'said'), 'utf8').split('\0').slice(0, -1);
  const hostile = (name: string) => `/w/<b>"$(touch ${folder}/${name})"</b> & C:\\dir\\ \`touch ${folder}/${name}\``;

  it('of a hook reaches notify-send as words, with nothing in them that it or the desktop would read as more', async () => {
    const env = { ...process.env, PATH: notifier('notify-send') };
    await running(`hooks: { '*': { on_file_change: [{ notify: "--help \${file}" }] } }`, env);
    host?.deliver('hooked', [mail(1, `!change ${hostile('one')}`)]);
    await until(() => expect(runs()).toMatchObject([{ outcome: 'succeeded', exitCode: 0, action: 'notify' }]));
    const body = `--help /w/&lt;b&gt;"$(touch ${folder}/one)"&lt;/b&gt; &amp; C:\\\\dir\\\\ \`touch ${folder}/one\``;
    expect(said()).toEqual(['--app-name=Agent Relay', '--', 'Worker', body]);
    expect(existsSync(join(folder, 'one'))).toBe(false);
  });

  it('reaches osascript as arguments of its script', async () => {
    const place = { cwd: folder, env: { PATH: notifier('osascript') }, stdin: '', signal: new AbortController().signal };
    expect(await notifyDesktop(`-x\0${hostile('two')}`, '-e evil', place, 'darwin')).toMatchObject({ outcome: 'succeeded', exitCode: 0 });
    expect(said().slice(-3)).toEqual(['--', '-e evil', `-x ${hostile('two')}`]);
    expect(said().filter((word) => word === '-e')).toHaveLength(3);
    expect(existsSync(join(folder, 'two'))).toBe(false);
  });

  it('is a failed run that names the program, where that is missing', async () => {
    mkdirSync(join(folder, 'empty'));
    await running("hooks: { '*': { on_turn_complete: [{ notify: done }] } }", { PATH: join(folder, 'empty') });
    host?.deliver('hooked', [mail(1, 'work')]);
    await until(() => expect(runs()).toMatchObject([{ outcome: 'failed', detail: expect.stringContaining('notify-send') }]));
  });

  it('is shown on Windows from variables, which no script is made of', () => {
    expect(notifierOf('win32', '$(evil)', '`evil`').join(' ')).not.toContain('evil');
  });

  it('is shown on Windows by what its PowerShell has', async () => {
    const [program, ...args] = notifierOf('win32', 'title', 'text');
    expect([program, args.slice(0, -1)]).toEqual(['powershell.exe', ['-NoProfile', '-NonInteractive', '-Command']]);
    const { faults, commands } = await readPowerShell(args.at(-1) ?? '');
    expect([faults, commands.map(({ name }) => name)]).toEqual([[], ['Add-Type', 'New-Object', 'Start-Sleep']]);
  });
});

describe('a trial', () => {
  const approving = (folder: string) => `hooks:
  codex:
    on_approval_needed:
      - { name: tests, approve: { command: [npm, test], folder: ${folder} } }
      - { name: edits, approve: { edit: true, folder: ${folder} } }
      - { name: count, command: [echo, "\${title}"] }
`;

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['tests', {}, 'npm test in FOLDER would be allowed'],
    ['tests', { title: 'npm test | tee x' }, 'npm test | tee x in FOLDER would be left to a person'],
    ['tests', { cwd: '/elsewhere' }, 'npm test in /elsewhere would be left to a person'],
    ['edits', { title: 'FOLDER/src/a.ts' }, 'FOLDER/src/a.ts in FOLDER would be allowed'],
    ['edits', { title: 'FOLDER/.git/config' }, 'FOLDER/.git/config in FOLDER would be left to a person'],
  ])('of a hook that answers says what it would answer: %s %o', async (name, fields, detail) => {
    const here = (text: string) => text.replaceAll('FOLDER', folder);
    const ready = await running(approving(folder));
    const said = Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, here(value)]));
    expect(await ready.testHook(name, said)).toMatchObject({
      outcome: 'skipped',
      detail: `A trial answers nothing. ${here(detail)}`,
    });
  });

  it('is told apart from what happened, and a field that does not exist is a fault', async () => {
    const ready = await running(approving(folder));
    await ready.testHook('count', { title: 'x' });
    expect(ready.recentHookRuns).toMatchObject([{ hook: 'count', agentId: null, isTrial: true, output: 'x\n' }]);
    await expect(ready.testHook('count', { titel: 'x' })).rejects.toMatchObject({
      code: 'validation_failed',
      message: 'fields.titel: is nothing that on_approval_needed says; title is meant, perhaps',
    });
  });
});
