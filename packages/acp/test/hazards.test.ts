import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OwnedProcess, ProcessSandbox, StartOptions } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { afterEach, describe, expect, test } from 'vitest';
import type { AcpAgent } from '../src/catalogue.ts';
import { fakeAgentHarness } from './fake-agent-harness.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function started(ways: readonly string[] = [], more: Partial<StartOptions> = {}, agent: Partial<AcpAgent> = {}) {
  const harness = await fakeAgentHarness(ways, agent);
  cleanUps.push(() => harness.close());
  const processes: OwnedProcess[] = [];
  const session = await harness.provider.start({
    ...{ agentId: 'a', sessionId: 's', cwd: harness.cwd, mode: 'agentic', approval: 'open', instructions: '', mcp: [], env: harness.env },
    onProcess: (owned) => processes.push(owned),
    ...more,
  });
  const log = new EventLog(session);
  cleanUps.push(async () => {
    await harness.provider.close();
    await log.finished;
    expect(brokenEventRules(log.events)).toEqual([]);
    for (const { pid } of processes) await isGone(pid);
  });
  const ask = (text: string, messageIds: readonly number[] = []) => session.prompt({ text, messageIds }, { mode: 'next' });
  const said = () => log.ofType('text.completed').map(({ text }) => text);
  return { harness, session, log, ask, said };
}

const pidIn = async (path: string) => {
  await expect.poll(() => existsSync(path) && readFileSync(path, 'utf8').trim()).toMatch(/^\d+$/u);
  return Number(readFileSync(path, 'utf8'));
};

/** What nobody has fetched yet is still in the table for a moment. */
const isGone = (pid: number) => expect.poll(() => isRunning(pid)).toBe(false);

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('what an agent says', () => {
  test('a question with the id 0, for a tool that was not told of before, is answered and shown as one tool', async () => {
    const { log, ask, harness } = await started();
    await ask('edit file: note.txt | hello && then say: done');
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'done' });
    expect(log.ofType('tool.started')).toMatchObject([{ name: 'write_file', kind: 'edit', title: 'Writing to note.txt' }]);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['succeeded']);
    expect(log.ofType('file.changed').flatMap(({ changes }) => changes)).toEqual([
      { path: join(harness.cwd, 'note.txt'), change: 'added', diff: '@@ -0,0 +1,1 @@\n+hello\n' },
    ]);
  });

  test('what is told of a tool that is over adds nothing', async () => {
    const { log, ask } = await started();
    const update = (fields: object) =>
      `send ${JSON.stringify({ method: 'session/update', params: { sessionId: '$SESSION', update: { toolCallId: 'c', ...fields } } })}`;
    const steps = [
      update({ sessionUpdate: 'tool_call', title: 'look', kind: 'read', status: 'pending' }),
      update({ sessionUpdate: 'tool_call_update', status: 'completed' }),
      update({ sessionUpdate: 'tool_call_update', content: [{ type: 'content', content: { type: 'text', text: 'late' } }] }),
      update({ sessionUpdate: 'tool_call_update', status: 'failed' }),
    ];
    await ask(`${steps.join(' && then ')} && then say: done`);
    await log.waitForTurnEnd();
    expect(log.events.flatMap(({ type }) => (type.startsWith('tool.') ? [type] : []))).toEqual(['tool.started', 'tool.completed']);
  });

  test('a tool that is told of first is shown once', async () => {
    const { log, ask } = await started(['tool-first']);
    await ask('edit file: note.txt | hello && then say: done');
    await log.waitForTurnEnd();
    expect([log.ofType('tool.started').length, log.ofType('tool.completed').length]).toEqual([1, 1]);
  });

  test.each([[['tells-rejects']], [[]]])('a refused tool is declined once, whether the agent tells of it or not (%s)', async (ways) => {
    const { log, ask, harness } = await started(ways);
    await ask(`edit file: ${join(harness.outside, 'x.txt')} | hello && then say: done`);
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'done' });
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['declined']);
    expect(log.ofType('approval.resolved')).toMatchObject([
      { outcome: 'denied', by: 'policy', message: expect.stringContaining('outside') },
    ]);
  });

  test('relative paths of a change become absolute, and are judged where they lead', async () => {
    const { log, ask, harness } = await started(['relative-paths']);
    await ask('edit file: note.txt | hello');
    await log.waitForTurnEnd();
    expect(log.ofType('file.changed').flatMap(({ changes }) => changes.map(({ path }) => path))).toEqual([join(harness.cwd, 'note.txt')]);
    const after = log.events.length;
    await ask(`edit file: ${join(harness.outside, 'x.txt')} | hello`);
    await log.waitForTurnEnd(after);
    expect(existsSync(join(harness.outside, 'x.txt'))).toBe(false);
  });

  test('what is no JSON, no message and no answer of ours is shown and costs nothing', async () => {
    const { log, ask } = await started(['garbage']);
    await ask('print not json && then print {"no":"message"} && then say: still here');
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'still here' });
    expect(log.ofType('output.line').map(({ text }) => text)).toEqual(['Loaded cached credentials.', '{broken', 'text', 'not json']);
    expect(log.ofType('vendor.event').flatMap(({ name, data }) => (name === 'stray' ? [data] : []))).toEqual([
      { level: 'info' },
      [1, 2],
      { jsonrpc: '2.0', id: 999, result: {} },
      { no: 'message' },
    ]);
  });

  test('a line of ten megabytes is read, and one beyond the limit is passed over', async () => {
    const { log, ask } = await started();
    await ask(`huge ${10 << 20} && then say: and on`);
    await log.waitForTurnEnd();
    expect(log.ofType('text.completed')[0]?.text.length).toBeGreaterThan(10 << 20);
    const after = log.events.length;
    await ask(`huge ${33 << 20} && then say: still here`);
    expect(await log.waitForTurnEnd(after)).toMatchObject({ text: 'still here' });
  });

  test('unknown and misshapen updates are kept as they came, and an unknown request is answered', async () => {
    const { log, ask, said } = await started();
    const send = (frame: object) => `send ${JSON.stringify(frame)}`;
    const update = (fields: unknown) => send({ method: 'session/update', params: { sessionId: '$SESSION', update: fields } });
    const steps = [
      update({ sessionUpdate: 'mood_update', mood: 'good' }),
      update({ sessionUpdate: 'tool_call', title: 'without an id' }),
      update(null),
      update({ sessionUpdate: 'agent_message_chunk', content: 7 }),
      send({ method: 'session/update' }),
      send({ method: 'somebody/told', params: {} }),
      send({ id: 1, method: 'terminal/create', params: { sessionId: '$SESSION', command: 'id' } }),
      send({ id: 1, method: 'session/request_permission', params: { toolCall: {}, options: 3 } }),
    ];
    await ask(`${steps.join(' && then ')} && then say: done`);
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
    expect(log.ofType('vendor.event').map(({ name }) => name)).toEqual(
      expect.arrayContaining(['mood_update', 'tool_call', 'unknown', 'agent_message_chunk']),
    );
    expect(said().join('')).toMatch(/error -32601.*error -32602.*done/u);
  });

  test('thoughts, plans, uses of the context and notices have words of their own', async () => {
    const { log, ask, said } = await started([], {}, { notices: /^\[MODE_UPDATE\] \w+$/u });
    const update = (fields: object) =>
      `send ${JSON.stringify({ method: 'session/update', params: { sessionId: '$SESSION', update: fields } })}`;
    const text = (sessionUpdate: string, words: string) => update({ sessionUpdate, content: { type: 'text', text: words } });
    const steps = [
      text('agent_thought_chunk', 'Let me '),
      text('agent_thought_chunk', 'think'),
      text('agent_message_chunk', ''),
      text('agent_message_chunk', '[MODE_UPDATE] yolo'),
      update({ sessionUpdate: 'plan', entries: [{ content: 'look', status: 'completed' }, { content: 'leap', status: 'in_progress' }, 7] }),
      update({ sessionUpdate: 'usage_update', used: 90, size: 100 }),
      update({ sessionUpdate: 'usage_update', used: 95, size: 100 }),
    ];
    await ask(`${steps.join(' && then ')} && then say: done`);
    await log.waitForTurnEnd();
    expect(log.ofType('reasoning.completed').map((event) => event.text)).toEqual(['Let me think']);
    expect(said()).toEqual(['done']);
    expect(log.ofType('plan.updated')).toMatchObject([
      {
        steps: [
          { step: 'look', status: 'done' },
          { step: 'leap', status: 'active' },
        ],
      },
    ]);
    expect(log.ofType('context.warning')).toEqual([{ type: 'context.warning', usedTokens: 90, contextWindow: 100 }]);
    expect(log.ofType('usage.updated')).toMatchObject([{ usage: { inputTokens: 11, outputTokens: 7 } }]);
  });
});

describe('an id that comes again', () => {
  const send = (frame: object) => `send ${JSON.stringify(frame)}`;
  const update = (fields: object) => send({ method: 'session/update', params: { sessionId: '$SESSION', update: fields } });
  const options = [
    { optionId: 'yes', kind: 'allow_once' },
    { optionId: 'no', kind: 'reject_once' },
  ];
  const question = (toolCall: object) =>
    send({
      id: 1,
      method: 'session/request_permission',
      params: { sessionId: '$SESSION', toolCall: { toolCallId: 'c', ...toolCall }, options },
    });

  test('is judged by what it is about now, and shown as a use of its own', async () => {
    const { log, ask, harness } = await started(['same-ids']);
    await ask('edit file: ok.txt | a && then edit file: .envrc | evil && then edit file: ok2.txt | b && then say: done');
    expect(await log.waitForTurnEnd()).toMatchObject({ text: 'done' });
    expect([existsSync(join(harness.cwd, '.envrc')), readFileSync(join(harness.cwd, 'ok2.txt'), 'utf8')]).toEqual([false, 'b\n']);
    expect(log.ofType('tool.started').map(({ title }) => title)).toEqual(['Writing to ok.txt', 'Writing to .envrc', 'Writing to ok2.txt']);
    expect(new Set(log.ofType('tool.started').map(({ itemId }) => itemId)).size).toBe(3);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['succeeded', 'declined', 'succeeded']);
    expect(log.ofType('approval.resolved')).toMatchObject([
      { outcome: 'denied', by: 'policy', message: expect.stringContaining('.envrc') },
    ]);
  });

  test('is asked about with what would run now', async () => {
    const { session, log, ask, harness } = await started(['same-ids'], { mode: 'unrestricted', approval: 'guarded' });
    await ask('run command: pwd && then run command: touch evil-ran && then say: done', [1]);
    const first = await log.waitFor('approval.requested');
    await session.resolveApproval?.(first.approvalId, { outcome: 'allow', by: 'owner' });
    const second = await log.waitFor('approval.requested', ({ approvalId }) => approvalId !== first.approvalId);
    expect(second).toMatchObject({ title: 'touch evil-ran', input: { title: 'touch evil-ran' } });
    expect(second.itemId).not.toBe(first.itemId);
    await session.resolveApproval?.(second.approvalId, { outcome: 'deny', by: 'owner' });
    await log.waitForTurnEnd();
    expect(existsSync(join(harness.cwd, 'evil-ran'))).toBe(false);
  });

  test.each([
    ['a reading', { kind: 'read', title: 'look' }, { title: 'touch x' }],
    ['a reading that it says to be a command', { kind: 'read', title: 'look' }, { kind: 'execute', title: 'touch x' }],
    ['a command that it says to be a reading', { kind: 'execute', title: 'touch x' }, { kind: 'read', title: 'look' }],
    ['an edit whose files it leaves out', { kind: 'edit', locations: [{ path: 'ok.txt' }] }, { kind: 'edit', title: 'Write' }],
    ['an edit of another file', { kind: 'edit', locations: [{ path: '.envrc' }] }, { kind: 'edit', locations: [{ path: 'ok.txt' }] }],
  ])('while its use is open is not judged more kindly for that: %s', async (_what, told, asked) => {
    const { log, ask, said } = await started();
    await ask(`${update({ sessionUpdate: 'tool_call', toolCallId: 'c', status: 'in_progress', ...told })} && then ${question(asked)}`);
    await log.waitForTurnEnd();
    expect(said().join('')).toContain('"optionId":"no"');
    expect(log.ofType('approval.requested')).toMatchObject([{ input: { before: { kind: told.kind } } }]);
  });

  test('in a question that says nothing is about what was told, and a second question about something else is a use of its own', async () => {
    const { log, ask, said } = await started();
    const told = { kind: 'edit', title: 'Write a.txt', locations: [{ path: 'a.txt' }] };
    const steps = [
      update({ sessionUpdate: 'tool_call', toolCallId: 'c', status: 'pending', ...told }),
      question({}),
      question(told),
      question({ ...told, title: 'Write b.txt', status: 'completed' }),
    ];
    await ask(steps.join(' && then '));
    await log.waitForTurnEnd();
    expect(
      said()
        .join('')
        .match(/"optionId":"yes"/gu),
    ).toHaveLength(3);
    expect(log.ofType('tool.started').map(({ title }) => title)).toEqual(['Write a.txt', 'Write b.txt']);
    expect(log.ofType('tool.completed').map(({ outcome }) => outcome)).toEqual(['interrupted', 'interrupted']);
  });
});

describe('what a person chooses', () => {
  const options = [
    { optionId: 'y', name: 'Yes', kind: 'allow_once' },
    { optionId: 'yy', name: 'Always', kind: 'allow_always' },
    { optionId: 'n', name: 'No', kind: 'reject_once' },
    { optionId: 'nn', name: 'Never', kind: 'reject_always' },
    { optionId: 'odd', name: 'Perhaps', kind: 'maybe' },
  ];
  const question = (toolCall: object) =>
    `send ${JSON.stringify({ id: 1, method: 'session/request_permission', params: { sessionId: '$SESSION', toolCall, options } })}`;
  const run = { toolCallId: 'c', kind: 'execute', title: 'npm test' };
  const edit = { toolCallId: 'c', kind: 'edit', title: 'Write a.txt', locations: [{ path: 'a.txt' }] };

  test.each(['yy', 'nn'])("is one of the agent's own options, as the agent names it (%s)", async (optionId) => {
    const { session, log, ask, said } = await started([], { ask: true });
    await ask(question(run));
    const asked = await log.waitFor('approval.requested');
    expect(asked.options).toEqual([
      { id: 'y', label: 'Yes', outcome: 'allow' },
      { id: 'yy', label: expect.stringMatching(/^Always .*nobody is asked again/u), outcome: 'allow_always' },
      { id: 'n', label: 'No', outcome: 'deny' },
      { id: 'nn', label: 'Never', outcome: 'deny' },
    ]);
    await session.resolveApproval?.(asked.approvalId, { optionId, by: 'owner' });
    await log.waitForTurnEnd();
    expect(said().join('')).toContain(`"optionId":"${optionId}"`);
  });

  test('moves no fence: an edit is allowed once, and never what comes after it unseen', async () => {
    const { session, log, ask, said } = await started([], { approval: 'guarded' });
    await ask(question(edit), [1]);
    const { approvalId, options: shown } = await log.waitFor('approval.requested');
    expect(shown.map(({ id }) => id)).toEqual(['y', 'n', 'nn']);
    await expect(session.resolveApproval?.(approvalId, { optionId: 'yy', by: 'owner' })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    await session.resolveApproval?.(approvalId, { outcome: 'allow', by: 'owner' });
    await log.waitForTurnEnd();
    expect(said().join('')).toContain('"optionId":"y"');
  });

  test('is no word for a model that wants words: the protocol has no way to bring it any', async () => {
    const { log, ask, said } = await started([], { approval: 'guarded', ask: true });
    await ask(question({ ...run, name: 'ask_user' }), [1]);
    await log.waitForTurnEnd();
    expect(said().join('')).toContain('"optionId":"n"');
    expect(log.ofType('approval.requested')).toMatchObject([{ options: [] }]);
  });
});

describe('stopping', () => {
  test('a turn that waits for a person is stopped: its question is withdrawn, and the agent told so', async () => {
    const { session, log, ask, harness } = await started([], { approval: 'guarded' });
    await ask('edit file: note.txt | hello', [1]);
    await log.waitFor('approval.requested');
    expect(await session.interrupt()).toBe(true);
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.completed', outcome: 'interrupted' });
    expect(log.ofType('approval.resolved')).toMatchObject([{ outcome: 'cancelled', by: 'session' }]);
    expect(harness.transcript().slice(-2)).toEqual(expect.arrayContaining([{ outcome: { outcome: 'cancelled' } }, { cancel: true }]));
    expect(log.ofType('input.accepted').map(({ state }) => state)).toEqual(['delivered', 'seen']);
  });

  test.each([[[]], [['error-after-cancel']]])(
    'mail that a turn is stopped in before it says a word was handed over all the same (%s)',
    async (quirks) => {
      const { session, log, ask } = await started(quirks);
      await ask('hang', [7]);
      await log.waitFor('turn.started');
      expect(await session.interrupt()).toBe(true);
      expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'interrupted' });
      expect(log.ofType('input.accepted')).toMatchObject([{ messageId: 7, state: 'delivered' }]);
    },
  );

  test('an agent that answers a stopped prompt with an error has stopped, and goes on with the next', async () => {
    const { session, log, ask } = await started(['error-after-cancel']);
    await ask('slow 200 50');
    await log.waitFor('text.delta');
    expect(await session.interrupt()).toBe(true);
    expect(await log.waitForTurnEnd()).toMatchObject({ type: 'turn.completed', outcome: 'interrupted' });
    const after = log.events.length;
    await ask('say: on');
    expect(await log.waitForTurnEnd(after)).toMatchObject({ outcome: 'finished', text: 'on' });
  });

  test('an agent that does not stop is ended with what it runs, and the session says so', async () => {
    const { session, log, ask, harness } = await started(
      ['ignores-cancel', 'swallows-signals'],
      { mode: 'unrestricted' },
      { stopGraceMs: 300 },
    );
    const pidFile = join(harness.cwd, 'pid');
    await ask(`run command: echo $$ > ${pidFile}; sleep 300`);
    const pid = await pidIn(pidFile);
    expect(await session.interrupt()).toBe(true);
    await log.finished;
    expect(log.events.at(-1)).toMatchObject({ type: 'session.ended', reason: 'crashed', detail: expect.stringContaining('did not stop') });
    await isGone(pid);
  });

  test('closing ends an agent that swallows signals, and a shell that it has put into a session of its own', async () => {
    const ways = ['ignores-cancel', 'swallows-signals', 'detached-shell'];
    const { session, ask, harness } = await started(ways, { mode: 'unrestricted' }, { stopGraceMs: 300 });
    const pidFile = join(harness.cwd, 'pid');
    await ask(`run command: echo $$ > ${pidFile}; sleep 300`);
    const pid = await pidIn(pidFile);
    await session.close();
    await isGone(pid);
  });

  test.runIf(process.platform === 'linux')('and a command that nothing but its limits still ties to the agent', async () => {
    const { session, ask, harness } = await started([], { mode: 'unrestricted' });
    const pidFile = join(harness.cwd, 'pid');
    await ask(`run command: (env -i setsid sleep 300 < /dev/null > /dev/null 2>&1 & echo $! > ${pidFile}) && then say: left it`);
    const pid = await pidIn(pidFile);
    await session.close();
    await isGone(pid);
  });

  test('an agent that ends in a turn fails it, and what waited behind it is refused', async () => {
    const { log, ask, harness, session } = await started(['detached-shell'], { mode: 'unrestricted' });
    const pidFile = join(harness.cwd, 'pid');
    await ask(`run command: sh -c 'echo $$ > ${pidFile}; exec sleep 300' > /dev/null 2>&1 & && then exit 3`);
    const behind = session.prompt({ text: 'say: late', messageIds: [] }, { mode: 'next' });
    await expect(behind).rejects.toMatchObject({ code: 'connection_closed' });
    await log.finished;
    expect(log.ofType('turn.failed')).toMatchObject([
      { error: { code: 'agent_crashed', message: expect.stringContaining('exited with code 3') } },
    ]);
    expect(log.events.at(-1)).toMatchObject({ type: 'session.ended', reason: 'crashed', exitCode: 3 });
    await isGone(await pidIn(pidFile));
  });
});

describe('files that an agent asks for uninvited', () => {
  test('are read and written inside the folder, by absolute paths only', async () => {
    const { log, ask, said, harness } = await started();
    const file = join(harness.cwd, 'sub', 'a.txt');
    await ask(`fs write: ${file} | one && then fs read: ${file} && then fs read: sub/a.txt && then fs write: b.txt | two`);
    await log.waitForTurnEnd();
    expect(said()).toEqual([
      expect.stringMatching(/^answer \{\}answer \{"content":"one"\}error -32602.*absolute.*error -32602.*absolute/u),
    ]);
    expect([readFileSync(file, 'utf8'), existsSync(join(harness.cwd, 'b.txt'))]).toEqual(['one', false]);
    expect(log.ofType('file.changed').flatMap(({ changes }) => changes)).toEqual([{ path: file, change: 'added' }]);
  });

  test('lie outside for whoever follows a link, and what runs commands is guarded', async () => {
    const { log, ask, said, harness } = await started();
    writeFileSync(join(harness.outside, 'secret'), 'secret');
    symlinkSync(harness.outside, join(harness.cwd, 'way-out'));
    const through = join(harness.cwd, 'way-out', 'secret');
    const hook = join(harness.cwd, '.git', 'hooks', 'pre-commit');
    await ask(
      `fs read: ${through} && then fs write: ${through} | x && then fs write: ${hook} | x && then fs read: ${join(harness.outside, 'secret')}`,
    );
    await log.waitForTurnEnd();
    expect(said()[0]?.match(/error -32600/gu)).toHaveLength(4);
    expect([readFileSync(join(harness.outside, 'secret'), 'utf8'), existsSync(hook)]).toEqual(['secret', false]);
  });

  test('are off in a safe session', async () => {
    const { log, ask, said, harness } = await started([], { mode: 'safe' });
    writeFileSync(join(harness.cwd, 'a.txt'), 'a');
    await ask(`fs read: ${join(harness.cwd, 'a.txt')} && then fs write: ${join(harness.cwd, 'a.txt')} | b`);
    await log.waitForTurnEnd();
    expect([said()[0]?.match(/error/gu)?.length, readFileSync(join(harness.cwd, 'a.txt'), 'utf8')]).toEqual([2, 'a']);
  });

  test('are asked about in a turn of guarded mail, and a person may allow them', async () => {
    const { session, log, ask, harness } = await started([], { approval: 'guarded' });
    const file = join(harness.cwd, 'a.txt');
    await ask(`fs write: ${file} | one && then fs write: ${file} | two`, [1]);
    const first = await log.waitFor('approval.requested');
    expect(first).toMatchObject({ kind: 'edit', input: { path: file, content: 'one' } });
    await session.resolveApproval?.(first.approvalId, { outcome: 'allow', by: 'owner' });
    const second = await log.waitFor('approval.requested', ({ approvalId }) => approvalId !== first.approvalId);
    await session.resolveApproval?.(second.approvalId, { outcome: 'deny', by: 'owner' });
    await log.waitForTurnEnd();
    expect(readFileSync(file, 'utf8')).toBe('one');
  });

  test('lie where they lay when a person was asked: a link that is put there meanwhile leads nobody out', async () => {
    const { session, log, ask, said, harness } = await started([], { approval: 'guarded' });
    const folder = join(harness.cwd, 'sub');
    mkdirSync(folder);
    await ask(`fs write: ${join(folder, 'a.txt')} | evil`, [1]);
    const { approvalId } = await log.waitFor('approval.requested');
    rmdirSync(folder);
    symlinkSync(harness.outside, folder);
    await session.resolveApproval?.(approvalId, { outcome: 'allow', by: 'owner' });
    await log.waitForTurnEnd();
    expect([said()[0], existsSync(join(harness.outside, 'a.txt'))]).toEqual([expect.stringContaining('error -32002'), false]);
  });

  test.skipIf(process.platform === 'win32')('that are pipes are refused, and nobody waits for their other end', async () => {
    const { log, ask, said, harness } = await started();
    const pipe = join(harness.cwd, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await ask(`fs read: ${pipe} && then fs write: ${pipe} | x && then say: done`);
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished' });
    expect(said()[0]?.match(/error -32/gu)).toHaveLength(2);
  });

  test('are those of its folder where the session is in a sandbox, whatever its mode: we are outside of that', async () => {
    const sandbox: ProcessSandbox = { kind: 'bwrap', confine: async (process) => ({ ...process, sandbox: 'bwrap' }) };
    const inSandbox = await started([], { mode: 'unrestricted', sandbox });
    const free = await started([], { mode: 'unrestricted' });
    for (const { log, ask, said, harness } of [inSandbox, free]) {
      const isFree = harness === free.harness;
      const [secret, made] = [join(harness.outside, 'secret'), join(harness.outside, 'made')];
      writeFileSync(secret, 'a secret');
      await ask(`fs read: ${secret} && then fs write: ${made} | x && then fs write: ${join(harness.cwd, 'own')} | y`);
      await log.waitForTurnEnd();
      expect([said()[0]?.includes('a secret'), existsSync(made), readFileSync(join(harness.cwd, 'own'), 'utf8')]).toEqual([
        isFree,
        isFree,
        'y',
      ]);
    }
  });
});

describe('starting', () => {
  test('an agent that wants a login says what to do', async () => {
    await expect(started(['needs-login'])).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(/did not start.*API key is missing.*June 2026.*GEMINI_API_KEY/su),
    });
  });

  test('an agent of another version of the protocol is refused', async () => {
    await expect(started(['other-version'])).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('version 2'),
    });
  });

  test.each([
    ['the mode safe', { mode: 'safe' }],
    ['the mode agentic', { mode: 'agentic' }],
    ['the approval guarded', { mode: 'unrestricted', approval: 'guarded' }],
    ['the approval read-only', { mode: 'unrestricted', approval: 'read-only' }],
  ] as const)('an agent that nothing holds to %s is not started with it', async (what, rights) => {
    await expect(started([], rights, { fence: 'none' })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: `Fake starts in unrestricted mode with open approval only: nothing is known that would hold it to ${what}`,
    });
  });

  test('an agent that is older than its fence is started only where nothing has to hold it', async () => {
    const start = started(['old'], {}, { fenceSince: [0, 61] });
    await expect(start).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(/Fake 0\.60\.9 is older than 0\.61.*install it again/u),
    });
    const { session } = await started(['old'], { mode: 'unrestricted' }, { fenceSince: [0, 61] });
    expect(session.vendorSessionId).toBe('session-1');
  });

  test('an agent that nothing holds starts where it may do everything', async () => {
    const { log, ask } = await started([], { mode: 'unrestricted' }, { fence: 'none' });
    await ask('say: hello');
    expect(await log.waitForTurnEnd()).toMatchObject({ text: 'hello' });
  });

  test('an agent is taken into the mode of its own that its row names, where it has it', async () => {
    const modesOf = async (sessionMode: string) => {
      const { harness } = await started([], {}, { sessionMode });
      return harness.transcript().flatMap(({ mode }) => (mode === undefined ? [] : [mode]));
    };
    expect([await modesOf('free'), await modesOf('renamed')]).toEqual([['free'], []]);
  });

  test('standing instructions go ahead of the first prompt and are no part of what was said', async () => {
    const { log, ask, harness } = await started([], { instructions: 'Be brief.' });
    await ask('say: one');
    await log.waitForTurnEnd();
    const after = log.events.length;
    await ask('say: two');
    await log.waitForTurnEnd(after);
    expect(log.ofType('user.message').map(({ text }) => text)).toEqual(['say: one', 'say: two']);
    expect(harness.transcript().flatMap(({ prompt }) => (prompt === undefined ? [] : [prompt]))).toEqual([
      'Be brief.\n\n\nsay: one',
      'say: two',
    ]);
  });

  test("the relay's servers are handed over with the session", async () => {
    const mcp = [{ name: 'agent-relay', url: 'http://127.0.0.1:1/mcp', headers: { authorization: 'Bearer token' } }];
    const { harness } = await started([], { mcp });
    expect(harness.transcript()[0]).toMatchObject({
      new: {
        mcpServers: [
          { type: 'http', name: 'agent-relay', url: 'http://127.0.0.1:1/mcp', headers: [{ name: 'authorization', value: 'Bearer token' }] },
        ],
      },
    });
  });

  test('what an editor around the host has set does not reach the agent, and its key does', async () => {
    const { harness } = await started();
    const { gemini } = harness.transcript()[0] ?? {};
    expect(gemini).toEqual(expect.arrayContaining(['GEMINI_API_KEY', 'GEMINI_CLI_NO_RELAUNCH']));
    expect(gemini).not.toContain('GEMINI_CLI_IDE_SERVER_PORT');
  });

  test('a way to allow something for ever only is not taken where what follows is asked about', async () => {
    const { log, ask, harness } = await started(['always-only']);
    await ask('edit file: note.txt | hello');
    await log.waitForTurnEnd();
    expect(existsSync(join(harness.cwd, 'note.txt'))).toBe(false);
    const free = await started(['always-only'], { mode: 'unrestricted' });
    await free.ask('edit file: note.txt | hello');
    await free.log.waitForTurnEnd();
    expect(existsSync(join(free.harness.cwd, 'note.txt'))).toBe(true);
  });
});

test('a session goes on with its conversation where its agent opens it, and begins no other where it is gone', async () => {
  const { harness, session, ask, said } = await started(['loads'], { resume: 'session-9' }, { resumes: true });
  expect(harness.provider.resumes).toBe(true);
  expect(session.vendorSessionId).toBe('session-9');
  await ask('say: still here');
  await expect.poll(said).toEqual(['still here']);
  expect(harness.transcript()).toContainEqual({ load: { sessionId: 'session-9', cwd: harness.cwd, mcpServers: [] } });
  await expect(started(['loads'], { resume: 'lost' }, { resumes: true })).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('there is no such session'),
  });
});
