import { RelayError } from 'agent-relay-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import { PromptLedger } from '../src/provider/prompt-ledger.ts';
import { PromptLine } from '../src/provider/prompt-line.ts';
import { FakeAppServer } from './fake-app-server.ts';

const prompt = (text: string) => ({ text, messageIds: [1] });

describe('prompts for a server without a queue', () => {
  let server: FakeAppServer;
  let client: CodexClient;
  let thread: CodexThread;
  let line: PromptLine;
  let turns: number;

  beforeEach(async () => {
    server = await FakeAppServer.start();
    turns = 0;
    server.answer('turn/start', () => {
      turns += 1;
      return { turn: { id: `turn-${turns}` } };
    });
    client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'test', version: '1' } });
    thread = await client.startThread({ cwd: '/home/user/project' });
    line = new PromptLine({ thread, ledger: new PromptLedger(), mode: 'agentic', approval: 'open', ask: false, canQueue: true });
  });

  afterEach(async () => {
    await client.close();
    await server[Symbol.asyncDispose]();
  });

  const texts = () => server.received.filter(({ method }) => method === 'turn/start').map(({ params }) => JSON.stringify(params['input']));

  const endTurn = async (id: string) => {
    server.notify('turn/completed', { threadId: thread.id, turn: { id, status: 'completed' } });
    await expect.poll(() => thread.activeTurnId).not.toBe(id);
    line.turnEnded();
  };

  test('are held until the turn is over, and then sent one turn at a time', async () => {
    await line.next(prompt('one'));
    const order: string[] = [];
    const two = line.next(prompt('two')).then(() => order.push('two'));
    const three = line.next(prompt('three')).then(() => order.push('three'));
    await expect.poll(() => server.methods().filter((method) => method === 'thread/queue/add')).toHaveLength(1);
    expect(texts()).toHaveLength(1);
    await endTurn('turn-1');
    await two;
    expect(order).toEqual(['two']);
    await endTurn('turn-2');
    await three;
    expect(texts().map((text) => /one|two|three/u.exec(text)?.[0])).toEqual(['one', 'two', 'three']);
  });

  test('what is held goes ahead of what comes later, also where the line is full when its turn has come', async () => {
    await line.next(prompt('one'));
    const held = line.next(prompt('two'));
    await expect.poll(() => server.methods().filter((method) => method === 'thread/queue/add')).toHaveLength(1);
    server.notify('turn/completed', { threadId: thread.id, turn: { id: 'turn-1', status: 'completed' } });
    await expect.poll(() => thread.activeTurnId).not.toBe('turn-1');
    const later = line.next(prompt('three'));
    line.turnEnded();
    await held;
    await endTurn('turn-2');
    await later;
    expect(texts().map((text) => /one|two|three/u.exec(text)?.[0])).toEqual(['one', 'two', 'three']);
  });

  test('what waits in the queue is not overtaken between two turns', async () => {
    server.answer('thread/queue/add', () => ({}));
    server.answer('thread/queue/start', () => ({}));
    await line.next(prompt('one'));
    await line.next(prompt('two'));
    await endTurn('turn-1');
    await line.next(prompt('three'));
    expect(texts()).toHaveLength(1);
    expect(server.methods().filter((method) => method.startsWith('thread/queue/'))).toEqual([
      'thread/queue/add',
      'thread/queue/add',
      'thread/queue/start',
    ]);
  });

  test('a turn is one of mail as soon as mail is on its way into it, before Codex says which turn that is', async () => {
    let seen: readonly boolean[] = [];
    server.answer('turn/start', () => {
      seen = [line.mayBeMailTurn('turn-1'), line.isMailTurn('turn-1')];
      return { turn: { id: 'turn-1' } };
    });
    await line.next(prompt('one'));
    expect([seen, line.mayBeMailTurn('turn-1'), line.isMailTurn('turn-1'), line.mayBeMailTurn('turn-2')]).toEqual([
      [true, false],
      ...[true, true, false],
    ]);
  });

  test('two at once for an idle thread are a turn and one that waits for it', async () => {
    const first = line.next(prompt('one'));
    const second = line.next(prompt('two'));
    await first;
    expect(texts()).toHaveLength(1);
    await endTurn('turn-1');
    await second;
    expect(texts()).toHaveLength(2);
  });

  test('urgent mail that may not join a turn waits for its end where the turn cannot be stopped', async () => {
    const guarded = new PromptLine({
      thread,
      ledger: new PromptLedger(),
      mode: 'agentic',
      approval: 'guarded',
      ask: false,
      canQueue: true,
    });
    server.answer('turn/interrupt', () => {
      throw new Error('internal');
    });
    await guarded.next({ text: 'mine', messageIds: [] });
    const urgent = guarded.urgent(prompt('urgent'));
    await expect.poll(() => server.methods()).toContain('thread/turns/list');
    server.notify('turn/completed', { threadId: thread.id, turn: { id: 'turn-1', status: 'completed' } });
    await expect.poll(() => thread.activeTurnId).not.toBe('turn-1');
    expect(texts()).toHaveLength(1);
    guarded.turnEnded();
    await urgent;
    expect(texts().map((text) => /mine|urgent/u.exec(text)?.[0])).toEqual(['mine', 'urgent']);
  });

  test('what Codex has not answered by the end is given up', async () => {
    server.answer('turn/start', () => new Promise(() => {}));
    const unanswered = line.next(prompt('one'));
    await expect.poll(texts).toHaveLength(1);
    line.end(new RelayError('connection_closed', 'over'));
    await expect(unanswered).rejects.toMatchObject({ code: 'connection_closed' });
  });

  test('what is still held at the end is refused, and nothing is sent after it', async () => {
    await line.next(prompt('one'));
    const held = line.next(prompt('two'));
    await expect.poll(() => server.methods()).toContain('thread/queue/add');
    line.end(new RelayError('connection_closed', 'over'));
    await expect(held).rejects.toMatchObject({ code: 'connection_closed' });
    await expect(line.now(prompt('three'))).rejects.toMatchObject({ code: 'connection_closed' });
    expect(texts()).toHaveLength(1);
  });
});
