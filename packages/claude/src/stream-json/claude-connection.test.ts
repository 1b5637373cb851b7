import { RelayError } from 'agent-relay-protocol';
import { createDuplexPair, type MessageDuplex } from 'agent-relay-wire';
import { describe, expect, test } from 'vitest';
import { ClaudeConnection, type ClaudeConnectionOptions } from './claude-connection.ts';
import type { ClaudeFrame } from './frames.ts';
import type { OutgoingFrame } from './outgoing.ts';

/** The CLI's end of a link: collects what it is told, and answers `initialize` as a CLI does. */
class FakeCli {
  readonly received: OutgoingFrame[] = [];
  readonly link: MessageDuplex<unknown, OutgoingFrame>;
  readonly #duplex: MessageDuplex<OutgoingFrame, unknown>;

  /** Null: it says nothing to `initialize`. */
  constructor(initializeAnswer: Record<string, unknown> | null = { subtype: 'success', response: {} }) {
    const [link, duplex] = createDuplexPair<unknown, OutgoingFrame>();
    this.link = link;
    this.#duplex = duplex;
    duplex.onMessage?.((frame) => {
      this.received.push(frame);
      if (initializeAnswer === null || frame.type !== 'control_request' || frame.request.subtype !== 'initialize') return;
      void this.say({ type: 'control_response', response: { request_id: frame.request_id, ...initializeAnswer } });
    });
  }

  say(frame: unknown): Promise<void> {
    return this.#duplex.send(frame);
  }

  answer(subtype: string, response: Record<string, unknown>): void {
    const asked = this.received.find((frame) => frame.type === 'control_request' && frame.request.subtype === subtype);
    if (asked?.type === 'control_request')
      void this.say({ type: 'control_response', response: { request_id: asked.request_id, ...response } });
  }

  async receivedAtLeast(count: number): Promise<readonly OutgoingFrame[]> {
    await expect.poll(() => this.received.length).toBeGreaterThanOrEqual(count);
    return this.received;
  }

  hangUp(): Promise<void> {
    return this.#duplex.close({ code: 1006 });
  }
}

function connect(options: Partial<ClaudeConnectionOptions> = {}) {
  const frames: ClaudeFrame[] = [];
  const connection = new ClaudeConnection({
    onFrame: (frame) => void frames.push(frame),
    onPermission: () => ({ behavior: 'allow' }),
    whenLinkEnds: 'exit',
    ...options,
  });
  return { connection, frames };
}

const permission = (id: string, extra: object = {}) => ({
  type: 'control_request',
  request_id: id,
  request: { subtype: 'can_use_tool', tool_name: 'Write', input: { file_path: '/a' }, tool_use_id: 'toolu_1', ...extra },
});

describe('ClaudeConnection', () => {
  test('says initialize first, with what it was given', async () => {
    const cli = new FakeCli();
    const { connection } = connect({ initialize: { hooks: {} } });
    await connection.attach(cli.link);
    expect(cli.received).toEqual([
      { type: 'control_request', request_id: expect.any(String), request: { subtype: 'initialize', hooks: {} } },
    ]);
    await connection.close();
  });

  test.each(['success', 'error'])(
    'says first what shall be asked about, and initialize follows from whether that was taken: %s',
    async (subtype) => {
      const cli = new FakeCli();
      const { connection } = connect({ askAbout: () => ['Bash'], initialize: (asks) => ({ hooks: { asks } }) });
      const attached = connection.attach(cli.link);
      await cli.receivedAtLeast(1);
      cli.answer('apply_flag_settings', { subtype, error: 'Unsupported control request subtype' });
      await attached;
      expect(cli.received.map((frame) => (frame.type === 'control_request' ? frame.request : frame))).toEqual([
        { subtype: 'apply_flag_settings', settings: { permissions: { ask: ['Bash'] }, sandbox: { autoAllowBashIfSandboxed: false } } },
        { subtype: 'initialize', hooks: { asks: subtype === 'success' } },
      ]);
      await connection.close();
    },
  );

  test('an allowed tool always gets its input back, because older versions refuse it otherwise', async () => {
    const cli = new FakeCli();
    const { connection } = connect();
    await connection.attach(cli.link);
    await cli.say(permission('r1'));
    expect((await cli.receivedAtLeast(2))[1]).toEqual({
      type: 'control_response',
      response: { subtype: 'success', request_id: 'r1', response: { behavior: 'allow', updatedInput: { file_path: '/a' } } },
    });
    await connection.close();
  });

  test('every control request is answered: unknown ones, malformed ones and failing handlers with an error', async () => {
    const cli = new FakeCli();
    const { connection } = connect({
      onPermission: () => {
        throw new Error('no idea');
      },
    });
    await connection.attach(cli.link);
    await cli.say({ type: 'control_request', request_id: 'r1', request: { subtype: 'mcp_message', server_name: 'x' } });
    await cli.say({ type: 'control_request', request_id: 'r2', request: { subtype: 'can_use_tool' } });
    await cli.say(permission('r3'));
    const answers = (await cli.receivedAtLeast(4)).slice(1);
    expect(answers.map((frame) => (frame.type === 'control_response' ? frame.response : frame))).toEqual([
      { subtype: 'error', request_id: 'r1', error: 'Unsupported control request: mcp_message' },
      { subtype: 'error', request_id: 'r2', error: 'Unsupported control request: can_use_tool' },
      { subtype: 'error', request_id: 'r3', error: 'no idea' },
    ]);
    await connection.close();
  });

  test('a withdrawn permission request is not answered, and its handler hears of it', async () => {
    const cli = new FakeCli();
    let wasAborted = false;
    const { connection } = connect({
      onPermission: (_request, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            wasAborted = true;
            resolve({ behavior: 'allow' });
          });
        }),
    });
    await connection.attach(cli.link);
    await cli.say(permission('r1'));
    await cli.say({ type: 'control_cancel_request', request_id: 'r1' });
    await expect.poll(() => wasAborted).toBe(true);
    await cli.say({ type: 'control_request', request_id: 'r2', request: { subtype: 'x' } });
    const answers = (await cli.receivedAtLeast(2)).slice(1);
    expect(answers).toEqual([expect.objectContaining({ response: expect.objectContaining({ request_id: 'r2' }) })]);
    await connection.close();
  });

  test('on a new link the permissions that are still open are answered once, and unacknowledged prompts sent again', async () => {
    const first = new FakeCli();
    let asked = 0;
    const { connection } = connect({
      whenLinkEnds: 'reconnect',
      onPermission: () => {
        asked += 1;
        return { behavior: 'deny', message: 'no' };
      },
    });
    await connection.attach(first.link);
    await connection.prompt({ content: 'acknowledged', uuid: '00000000-0000-4000-8000-000000000001' });
    await connection.prompt({ content: 'lost', uuid: '00000000-0000-4000-8000-000000000002' });
    await first.say({ type: 'command_lifecycle', command_uuid: '00000000-0000-4000-8000-000000000001', state: 'queued' });
    await first.say(permission('r1'));
    await first.receivedAtLeast(4);
    await first.hangUp();
    await expect.poll(() => connection.isAttached).toBe(false);
    await connection.prompt({ content: 'between', uuid: '00000000-0000-4000-8000-000000000003' });

    const second = new FakeCli({
      subtype: 'error',
      error: 'Already initialized',
      pending_permission_requests: [permission('r1'), permission('r2')],
    });
    await connection.attach(second.link);
    const sent = (await second.receivedAtLeast(5)).slice(1);
    const answers = sent.flatMap((frame) => (frame.type === 'control_response' ? [frame.response.request_id] : []));
    expect(answers.sort()).toEqual(['r1', 'r2']);
    expect(asked).toBe(2);
    expect(sent.flatMap((frame) => (frame.type === 'user' ? [frame.message.content] : []))).toEqual(['lost', 'between']);
    await connection.close();
  });

  test('what a hook was answered goes out again on a new link: its answer may have been lost with the one before', async () => {
    const first = new FakeCli();
    const { connection } = connect({ whenLinkEnds: 'reconnect', onHook: () => ({}) });
    await connection.attach(first.link);
    await first.say({
      type: 'control_request',
      request_id: 'h1',
      request: { subtype: 'hook_callback', input: { hook_event_name: 'PreToolUse' } },
    });
    await first.receivedAtLeast(2);
    await first.hangUp();
    await expect.poll(() => connection.isAttached).toBe(false);
    const second = new FakeCli();
    await connection.attach(second.link);
    expect((await second.receivedAtLeast(2))[1]).toEqual({
      type: 'control_response',
      response: { subtype: 'success', request_id: 'h1', response: {} },
    });
    await connection.close();
  });

  test('a prompt that meets a breaking link is taken, and sent on the next one; where no other comes it is refused', async () => {
    const breaking = () => {
      const cli = new FakeCli();
      let isBroken = false;
      const send = cli.link.send.bind(cli.link);
      const broken = () => Promise.reject(new RelayError('connection_closed', 'The link closed while sending'));
      const link = Object.assign(cli.link, { send: (frame: OutgoingFrame) => (isBroken ? broken() : send(frame)) });
      return { link, break: () => (isBroken = true) };
    };
    const first = breaking();
    const { connection } = connect({ whenLinkEnds: 'reconnect' });
    await connection.attach(first.link);
    first.break();
    const uuid = await connection.prompt({ content: 'hello' });
    const second = new FakeCli();
    await connection.attach(second.link);
    expect((await second.receivedAtLeast(2)).filter(({ type }) => type === 'user')).toMatchObject([{ uuid }]);
    await connection.close();
    const only = breaking();
    const { connection: process } = connect({ whenLinkEnds: 'exit' });
    await process.attach(only.link);
    only.break();
    await expect(process.prompt({ content: 'hello' })).rejects.toMatchObject({ code: 'connection_closed' });
    await process.close();
  });

  test.each([
    ['the same process', 7, false],
    ['another process', 8, true],
  ])('%s (%s) that comes on a new link ends the connection and is told nothing: %s', async (_, pid, isAnother) => {
    const greeting = (of: number) => ({ subtype: 'success', response: { pid: of }, pending_permission_requests: [] });
    const first = new FakeCli(greeting(7));
    const { connection } = connect({ whenLinkEnds: 'reconnect' });
    await connection.attach(first.link);
    expect(connection.processId).toBe('7');
    await connection.prompt({ content: 'perhaps read' });
    await first.receivedAtLeast(2);
    await first.hangUp();
    await expect.poll(() => connection.isAttached).toBe(false);
    const waiting = connection.prompt({ content: 'not said', waitsForLink: true });
    const outcome = waiting.then(
      () => 'said',
      ({ code }) => code,
    );
    const second = new FakeCli(greeting(pid));
    const attached = connection.attach(second.link).then(
      () => 'attached',
      ({ code }) => code,
    );
    expect([await attached, await outcome, connection.isClosed]).toEqual(
      isAnother ? ['connection_closed', 'connection_closed', true] : ['attached', 'said', false],
    );
    const told = second.received.flatMap((frame) => (frame.type === 'user' ? [frame.message.content] : []));
    expect(told).toEqual(isAnother ? [] : ['perhaps read', 'not said']);
    await connection.close();
  });

  const refusal = { subtype: 'error', error: 'Already initialized' };

  test.each([
    ['repeats what the one before had said, is that one', true],
    ['repeats nothing, may be another', false],
  ])('after a greeting that nobody answered, a CLI that names no process and %s', async (_, isSame) => {
    const first = new FakeCli({ subtype: 'success', response: { pid: 7 } });
    const { connection, frames } = connect({ whenLinkEnds: 'reconnect' });
    await connection.attach(first.link);
    await first.say({ type: 'assistant', uuid: 'a' });
    await expect.poll(() => frames.length).toBe(1);
    await connection.prompt({ content: 'perhaps read' });
    await first.hangUp();
    await expect.poll(() => connection.isAttached).toBe(false);
    const mute = new FakeCli(null);
    const unanswered = connection.attach(mute.link).then(
      () => 'attached',
      ({ code }) => code,
    );
    await mute.receivedAtLeast(1);
    await mute.hangUp();
    expect(await unanswered).toBe('connection_closed');
    const third = new FakeCli(refusal);
    if (isSame) await third.say({ type: 'assistant', uuid: 'a' });
    const attached = await connection.attach(third.link).then(
      () => 'attached',
      ({ code }) => code,
    );
    expect([attached, connection.isClosed]).toEqual(isSame ? ['attached', false] : ['connection_closed', true]);
    const told = third.received.flatMap((frame) => (frame.type === 'user' ? [frame.message.content] : []));
    expect(told).toEqual(isSame ? ['perhaps read'] : []);
    await connection.close();
  });

  test('a CLI that nobody had spoken to is another than one that somebody had', async () => {
    const first = new FakeCli(refusal);
    const { connection } = connect({ whenLinkEnds: 'reconnect' });
    await connection.attach(first.link);
    await connection.prompt({ content: 'perhaps read' });
    await first.hangUp();
    await expect.poll(() => connection.isAttached).toBe(false);
    const second = new FakeCli({ subtype: 'success', response: { pid: 8 } });
    await expect(connection.attach(second.link)).rejects.toMatchObject({ code: 'connection_closed' });
    expect(second.received.map(({ type }) => type)).toEqual(['control_request']);
  });

  test('who answers is told before prompts go out, on each link', async () => {
    const told: unknown[] = [];
    const { connection } = connect({
      whenLinkEnds: 'reconnect',
      onGreeting: () => told.push('greeting'),
      onGreeted: (cli) => told.push(cli),
    });
    const first = new FakeCli({ subtype: 'success', response: { pid: 7 } });
    await connection.attach(first.link);
    await first.hangUp();
    await expect.poll(() => connection.isAttached).toBe(false);
    await connection.attach(new FakeCli(refusal).link);
    expect(told).toEqual([
      'greeting',
      { isContinued: false, program: '7', isSame: false },
      'greeting',
      { isContinued: true, program: '7', isSame: true },
    ]);
    await connection.close();
  });

  test('a prompt given while a new link is being greeted waits until it is known who is there', async () => {
    const { connection } = connect({ whenLinkEnds: 'reconnect' });
    const cli = new FakeCli();
    const attaching = connection.attach(cli.link);
    const prompting = connection.prompt({ content: 'early', waitsForLink: true });
    await Promise.all([attaching, prompting]);
    expect((await cli.receivedAtLeast(2)).map(({ type }) => type)).toEqual(['control_request', 'user']);
    await connection.close();
  });

  test('a frame that comes again is handed over once', async () => {
    const cli = new FakeCli();
    const { connection, frames } = connect();
    await connection.attach(cli.link);
    for (const uuid of ['a', 'b', 'a']) await cli.say({ type: 'assistant', uuid });
    await cli.say({ type: 'result' });
    await cli.say({ type: 'result' });
    await expect.poll(() => frames.length).toBe(4);
    expect(frames.map(({ uuid }) => uuid)).toEqual(['a', 'b', undefined, undefined]);
    await connection.close();
  });

  test('rubbish from the CLI is no fault, and control traffic is not handed over', async () => {
    const cli = new FakeCli();
    const { connection, frames } = connect();
    await connection.attach(cli.link);
    const rubbish = [null, 1, 'x', [], {}, { type: 1 }, { type: 'control_request' }, { type: 'control_response' }, { type: 'keep_alive' }];
    for (const frame of [...rubbish, { type: 'control_cancel_request' }, { type: 'wibble' }]) await cli.say(frame);
    await expect.poll(() => frames).toEqual([{ type: 'wibble' }]);
    await connection.close();
  });

  test('a slow listener makes the CLI wait, and requests are judged by the frames before them', async () => {
    const cli = new FakeCli();
    const order: string[] = [];
    const { connection } = connect({
      onFrame: async ({ type }) => {
        await Promise.resolve();
        await new Promise((resolve) => setImmediate(resolve));
        order.push(type);
      },
      onPermission: () => {
        order.push('permission');
        return { behavior: 'allow' };
      },
    });
    await connection.attach(cli.link);
    await cli.say({ type: 'user' });
    await cli.say(permission('r1'));
    await cli.receivedAtLeast(2);
    expect(order).toEqual(['user', 'permission']);
    await connection.close();
  });

  test('whatever waits settles when the link ends', async () => {
    const cli = new FakeCli();
    const { connection } = connect();
    await connection.attach(cli.link);
    const interrupting = connection.interrupt();
    await cli.receivedAtLeast(2);
    await cli.hangUp();
    await expect(interrupting).rejects.toMatchObject({ code: 'connection_closed' });
    await connection.closed;
    await expect(connection.prompt({ content: 'x' })).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(connection.attach(new FakeCli().link)).rejects.toMatchObject({ code: 'connection_closed' });
  });

  test('a refused control request says in whose words', async () => {
    const cli = new FakeCli();
    const { connection } = connect();
    await connection.attach(cli.link);
    const setting = connection.setModel('none');
    await cli.receivedAtLeast(2);
    cli.answer('set_model', { subtype: 'error', error: 'no such model' });
    await expect(setting).rejects.toMatchObject({ code: 'unsupported', message: 'Claude Code refused set_model: no such model' });
    await connection.close();
  });

  test('a control request that is never answered times out', async () => {
    const cli = new FakeCli();
    const { connection } = connect({ controlTimeoutMs: 30 });
    await connection.attach(cli.link);
    await expect(connection.interrupt()).rejects.toMatchObject({ code: 'timeout' });
    await connection.close();
  });

  test.each([
    { type: 'user' },
    { type: 'user', message: { role: 'assistant', content: 'x' } },
    { type: 'user', message: { role: 'user', content: [] } },
    { type: 'control_request', request_id: 'r' },
    { type: 'assistant' },
    'text',
    null,
  ])('a frame that would end the CLI never reaches it: %j', async (frame) => {
    const cli = new FakeCli();
    const { connection } = connect();
    await connection.attach(cli.link);
    await expect(connection.send(frame)).rejects.toMatchObject({ code: 'validation_failed' });
    expect(cli.received).toHaveLength(1);
    await connection.close();
  });
});
