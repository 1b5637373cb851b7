import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentSession } from 'agent-relay-provider';
import { brokenEventRules, EventLog } from 'agent-relay-provider/testing';
import { agentCliPaths } from 'agent-relay-testing';
import type { ChildHandle } from 'agent-relay-wire/node';
import { afterEach, describe, expect, test } from 'vitest';
import { createClaudeDialIn } from '../src/provider/dial-in.ts';
import type { ClaudeFrame, PermissionRequest } from '../src/stream-json/frames.ts';
import { createClaudeSdkUrlHandler, type SdkUrlDialler, type SdkUrlSession } from '../src/stream-json/sdk-url-handler.ts';
import { type Dials, serveAndDial } from './serve-and-dial.ts';

const { claudeDialling } = agentCliPaths();
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function dialIn({ path = '/claude/s1', onPermission = () => ({ behavior: 'allow' }) as const, bearer = 'secret' }: DialIn = {}) {
  const frames: ClaudeFrame[] = [];
  const diallers: SdkUrlDialler[] = [];
  const sessions: SdkUrlSession[] = [];
  const handler = createClaudeSdkUrlHandler({
    identify: (dialler) => {
      diallers.push(dialler);
      return dialler.bearer === 'secret' ? (dialler.path.split('/').at(-1) ?? null) : null;
    },
    connectionOptions: () => ({ onFrame: (frame) => void frames.push(frame), onPermission }),
    onSession: (session) => sessions.push(session),
  });
  return { ...(await serveAndDial(handler, cleanUps, { path, bearer })), handler, frames, diallers, sessions };
}

interface DialIn extends Pick<Dials, 'path' | 'bearer'> {
  onPermission?: (
    request: PermissionRequest,
  ) => { behavior: 'allow' } | { behavior: 'deny'; message: string } | Promise<{ behavior: 'allow' }>;
}

const firstSession = async (sessions: readonly SdkUrlSession[]): Promise<SdkUrlSession> => {
  await expect.poll(() => sessions.length).toBe(1);
  const [session] = sessions;
  if (!session) throw new Error('a session was announced');
  return session;
};

const results = (frames: readonly ClaudeFrame[]) => frames.filter(({ type }) => type === 'result');
const streamedText = (frames: readonly ClaudeFrame[]) =>
  frames.map((frame) => JSON.stringify(frame).match(/"text_delta","text":"([^"]*)"/u)?.[1] ?? '').join('');
const exit = (child: ChildHandle) => child.exited;

describe.runIf(claudeDialling)('a real Claude Code that dials in', () => {
  test('is named by its path and token, takes a prompt and answers it', async () => {
    const { sessions, frames, diallers } = await dialIn({ path: '/claude/s1?x=1' });
    const { id, connection } = await firstSession(sessions);
    expect(id).toBe('s1');
    expect(diallers).toEqual([expect.objectContaining({ path: '/claude/s1', bearer: 'secret', isReconnect: false })]);
    expect(diallers[0]?.query.get('x')).toBe('1');
    await connection.prompt({ content: 'say: dialled' });
    await expect.poll(() => results(frames)).toEqual([expect.objectContaining({ result: 'dialled' })]);
  });

  test('goes on over a new socket without repeating or losing what it said', async () => {
    const { sessions, frames, diallers, drop } = await dialIn();
    const { connection } = await firstSession(sessions);
    await connection.prompt({ content: 'slow 40 60' });
    await expect.poll(() => streamedText(frames)).toContain('word003');
    drop(1012);
    await expect.poll(() => diallers.length).toBe(2);
    await expect.poll(() => results(frames).length).toBe(1);
    const words = Array.from({ length: 40 }, (_, index) => `word${String(index + 1).padStart(3, '0')} `).join('');
    expect(streamedText(frames)).toBe(words);
    const uuidsOf = (isEcho: boolean) =>
      frames.flatMap(({ type, uuid }) => (uuid === undefined || (type === 'user') !== isEcho ? [] : [uuid]));
    const told = uuidsOf(false);
    expect(new Set(told).size).toBe(told.length);
    // The prompt went out again on the second link: its first echo there says no more than that it was there already.
    expect(new Set(uuidsOf(true)).size).toBe(1);
    expect(uuidsOf(true).length).toBeLessThanOrEqual(2);
    expect(diallers[1]?.isReconnect).toBe(true);
    expect(sessions).toHaveLength(1);
    // A second drop makes it repeat everything again.
    drop(1001);
    await expect.poll(() => diallers.length).toBe(3);
    await expect.poll(() => connection.isAttached).toBe(true);
    await connection.prompt({ content: 'say: still one conversation' });
    await expect.poll(() => results(frames).length).toBe(2);
    expect(streamedText(frames)).toBe(`${words}still one conversation`);
  });

  test('is known again by what it repeats, where its answer to the first words on a line was lost with that line', async () => {
    const { sessions, frames, diallers, drop, loseNextAnswer } = await dialIn();
    const { connection } = await firstSession(sessions);
    await connection.prompt({ content: 'slow 40 60' });
    await expect.poll(() => streamedText(frames)).toContain('word003');
    loseNextAnswer();
    drop(1012);
    await expect.poll(() => diallers.length).toBe(3);
    await expect.poll(() => results(frames).length).toBe(1);
    expect([sessions.length, connection.isClosed]).toEqual([1, false]);
  });

  test('a permission that was asked while the line was down is answered after it', async () => {
    let asked = 0;
    const { sessions, frames, drop, diallers } = await dialIn({
      onPermission: () => {
        asked += 1;
        return { behavior: 'allow' };
      },
    });
    const { connection } = await firstSession(sessions);
    await connection.prompt({ content: 'slow 4 500 && then edit file: a.txt | text && then say: written' });
    await expect.poll(() => streamedText(frames)).toContain('word004');
    drop(1012);
    await expect.poll(() => diallers.length).toBe(2);
    await expect.poll(() => results(frames)).toEqual([expect.objectContaining({ result: 'written' })]);
    expect(asked).toBe(1);
  });

  test('a prompt given while the line is down is sent on the next, and runs once', async () => {
    const { sessions, frames, drop, diallers } = await dialIn();
    const { connection } = await firstSession(sessions);
    drop(1012);
    await expect.poll(() => connection.isAttached).toBe(false);
    await connection.prompt({ content: 'say: kept for you' });
    await expect.poll(() => results(frames).length).toBe(1);
    drop(1012);
    await expect.poll(() => diallers.length).toBe(3);
    await connection.prompt({ content: 'say: second' });
    await expect.poll(() => results(frames).map((frame) => frame['result'])).toEqual(['kept for you', 'second']);
  });

  test('is an agent session like any other, whose events keep the rules over a drop', async () => {
    const opened: { id: string; session: AgentSession; log: EventLog }[] = [];
    const handler = createClaudeDialIn({
      identify: ({ path }) => path,
      gate: () => ({ mode: 'safe', approval: 'open', cwd: '/', relayServers: ['agent-relay'] }),
      onSession: (id, session) => opened.push({ id, session, log: new EventLog(session) }),
    });
    const { drop, child, cwd, model } = await serveAndDial(handler, cleanUps);
    await expect.poll(() => opened.length).toBe(1);
    const [entry] = opened;
    if (!entry) throw new Error('a session was announced');
    const { session, log } = entry;
    await session.prompt({ text: 'slow 30 60 && then run command: pwd && then say: tried', messageIds: [1] }, { mode: 'next' });
    await log.waitFor('text.delta', ({ text }) => text.includes('word003'));
    drop(1012);
    expect(await log.waitForTurnEnd()).toMatchObject({ outcome: 'finished', text: 'tried' });
    expect(log.ofType('tool.completed')).toEqual([expect.objectContaining({ outcome: 'declined' })]);
    expect(log.ofType('input.accepted').map(({ state }) => state)).toEqual(['delivered', 'seen']);
    const after = log.events.length;
    await writeFile(join(cwd, '.private'), 'sesame 4711');
    await session.prompt({ text: '@.private say: read it', messageIds: [2] }, { mode: 'next' });
    await log.waitForTurnEnd(after);
    const sent = JSON.stringify(model.requests.map(({ body }) => body));
    expect([sent.includes('@.private'), sent.includes('sesame 4711')]).toEqual([true, false]);
    await session.close();
    await log.finished;
    expect(log.events.at(-1)).toEqual({ type: 'session.ended', reason: 'closed' });
    expect(brokenEventRules(log.events)).toEqual([]);
    expect(await exit(child)).toEqual({ code: 0, signal: null });
  });

  test('ends for good when its session is closed', async () => {
    const { sessions, child, handler } = await dialIn();
    const { connection } = await firstSession(sessions);
    await connection.close();
    expect(await exit(child)).toEqual({ code: 0, signal: null });
    await expect.poll(() => handler.sessions.size).toBe(0);
    await expect(connection.prompt({ content: 'anyone?' })).rejects.toMatchObject({ code: 'connection_closed' });
  });

  test('is turned away, and does not come back, when nobody knows it', async () => {
    const { child, diallers, sessions } = await dialIn({ bearer: 'wrong' });
    expect(await exit(child)).toEqual({ code: 0, signal: null });
    expect(diallers).toHaveLength(1);
    expect(sessions).toEqual([]);
  });
});
