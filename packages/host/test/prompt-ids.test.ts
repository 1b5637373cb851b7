import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeliveryReport, type InboxItem, RelayError } from 'agent-relay-protocol';
import type { PromptInput, PromptOptions } from 'agent-relay-provider';
import { silentLog } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DeliveryQueue } from '../src/delivery-queue.ts';
import { PromptIds } from '../src/prompt-ids.ts';
import { inboxItem } from './recording-relay.ts';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'prompt-ids-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const mail = (...ids: readonly number[]) => ids.map((id) => inboxItem(id, `body ${id}`));

interface Life {
  /** Its conversation is asked for what it has. */
  readonly isAsked?: boolean;
  readonly isContinued?: boolean;
  readonly program?: string | null;
  readonly isRelayAway?: boolean;
  readonly refuse?: (input: PromptInput) => boolean;
  /** It refuses because it has ended. */
  readonly isGone?: boolean;
  /** It takes nothing at the moment. */
  readonly isBusy?: () => boolean;
  /** The vendor's own id of the one that it has. */
  readonly conversation?: string;
}

/** One process of the host, with a session that confirms nothing. */
function life({
  isContinued = true,
  program = null,
  isRelayAway = false,
  isGone = false,
  isAsked = false,
  isBusy = () => false,
  refuse = () => false,
  conversation,
}: Life = {}) {
  const reports: DeliveryReport[] = [];
  const prompts: (PromptOptions & Pick<PromptInput, 'messageIds'>)[] = [];
  const promptIds = new PromptIds(stateDir, silentLog).of('Solo', { isAsked });
  if (!isAsked) {
    promptIds.greeting();
    promptIds.greeted({ isContinued, program, isSame: false });
  }
  const queue = new DeliveryQueue({
    session: {
      vendorSessionId: conversation ?? null,
      prompt: async (input, options) => {
        if (isBusy()) throw new RelayError('provider_unavailable', 'Not now');
        if (refuse(input)) throw new RelayError(isGone ? 'connection_closed' : 'validation_failed', 'No');
        prompts.push({ messageIds: input.messageIds, ...options });
      },
    },
    dispatch: async (messageIds) => messageIds,
    report: (told) => {
      reports.push(...told);
      return isRelayAway ? new Promise(() => {}) : Promise.resolve();
    },
    log: silentLog,
    promptIds,
  });
  const offer = async (items: readonly InboxItem[], promptCount: number) => {
    queue.offer(items);
    await expect.poll(() => prompts.length).toBe(promptCount);
    return prompts;
  };
  return { queue, offer, reports, endTurn: () => queue.observe({ type: 'turn.completed', turnId: 't', outcome: 'finished' }) };
}

const lost = (messageId: number) => ({ messageId, state: 'failed', reason: expect.stringContaining('nobody knows whether') });
const idsOf = (prompts: readonly PromptOptions[]) => prompts.map(({ promptId }) => promptId);

test('what a killed process had handed over is handed over again in the same prompt under the same id, and what has come since in another', async () => {
  const [first] = await life({ isContinued: false }).offer(mail(1, 2), 1);
  expect(first).toEqual({ messageIds: [1, 2], mode: 'next', promptId: expect.stringMatching(/^[\da-f-]{36}$/u) });
  for (const _ of [1, 2]) {
    const prompts = await life().offer(mail(1, 2, 3), 2);
    expect(prompts[0]).toEqual({ ...first, isRepeat: true });
    expect(prompts[1]).toMatchObject({ messageIds: [3] });
    expect(prompts[1]?.promptId).not.toBe(first?.promptId);
  }
});

test('what is offered only after the rest of its prompt went again is told: whether the program had the rest with it or without it, nobody knows', async () => {
  const [first] = await life({ isContinued: false }).offer(mail(1, 2), 1);
  const { offer, reports } = life();
  await offer(mail(1), 1);
  expect(await offer(mail(2, 3), 2)).toMatchObject([{ promptId: first?.promptId, messageIds: [1], isRepeat: true }, { messageIds: [3] }]);
  expect(reports).toEqual([lost(2)]);
});

test('what the relay offers once more while the program says nothing keeps its id, also once the relay has heard that it was handed over', async () => {
  const before = life({ isContinued: false });
  const [first] = await before.offer(mail(1), 1);
  await before.offer(mail(1), 1);
  expect(before.reports).toEqual([{ messageId: 1, state: 'dispatched' }]);
  before.endTurn();
  await before.offer(mail(2), 2);
  expect((await life().offer(mail(1, 2), 2))[0]).toEqual({ ...first, isRepeat: true });
});

test('a number that comes again in a new database is another message', async () => {
  const [first] = await life({ isContinued: false }).offer(mail(1), 1);
  const [item] = mail(1);
  if (!item) throw new Error('one was made');
  const [anew] = await life().offer([{ ...item, message: { ...item.message, createdAt: 7 } }], 1);
  expect(anew).not.toHaveProperty('isRepeat');
  expect(anew?.promptId).not.toBe(first?.promptId);
});

test('what a killed process had handed to a program that is gone is told, and not handed to the next one, also in the life after', async () => {
  await life({ isContinued: false }).offer(mail(1, 2), 1);
  const away = life({ isContinued: false, isRelayAway: true });
  await away.offer(mail(1, 2), 0);
  expect(away.reports).toEqual([lost(1), lost(2)]);
  const { offer, reports } = life();
  expect(await offer(mail(1, 2, 3), 1)).toMatchObject([{ messageIds: [3] }]);
  expect(reports).toEqual([lost(1), lost(2)]);
});

test('a program that had dialled before and was never spoken to is another one: what its forerunner was handed is told', async () => {
  const [first] = await life({ isContinued: false, program: '7' }).offer(mail(1), 1);
  expect((await life({ program: '7' }).offer(mail(1), 1))[0]).toEqual({ ...first, isRepeat: true });
  const { offer, reports } = life({ program: '8' });
  expect(await offer(mail(1, 2), 1)).toMatchObject([{ messageIds: [2] }]);
  expect(reports).toEqual([lost(1)]);
});

test('a process that is killed once it has heard who is there leaves that to the next: the mail of the one before does not go to that program', async () => {
  await life({ isContinued: false, program: '7' }).offer(mail(1), 1);
  const killed = new PromptIds(stateDir, silentLog).of('Solo');
  killed.greeting();
  killed.greeted({ isContinued: false, program: '8', isSame: false });
  const { offer, reports } = life();
  expect(await offer(mail(1, 2), 1)).toMatchObject([{ messageIds: [2] }]);
  expect(reports).toEqual([lost(1)]);
});

test('whom a killed process had spoken to and not heard may be another: the mail of the one before goes to nobody whom it does not know', async () => {
  const [first] = await life({ isContinued: false, program: '7' }).offer(mail(1), 1);
  const kill = () => new PromptIds(stateDir, silentLog).of('Solo').greeting();
  kill();
  expect((await life({ program: '7' }).offer(mail(1), 1))[0]).toEqual({ ...first, isRepeat: true });
  kill();
  const { offer, reports } = life();
  expect(await offer(mail(1, 2), 1)).toMatchObject([{ messageIds: [2] }]);
  expect(reports).toEqual([lost(1)]);
});

test('a program that the session knows again keeps what it was handed, though an answer of it was lost', async () => {
  const [first] = await life({ isContinued: false, program: '7' }).offer(mail(1), 1);
  const promptIds = new PromptIds(stateDir, silentLog).of('Solo');
  promptIds.greeting();
  promptIds.greeting();
  promptIds.greeted({ isContinued: true, program: null, isSame: true });
  expect((await life().offer(mail(1), 1))[0]).toEqual({ ...first, isRepeat: true });
});

test('what a program did not confirm before it ended is told, and nothing is told of what it did not take', async () => {
  const before = life({ isContinued: false, isGone: true, refuse: ({ messageIds }) => messageIds.includes(3) });
  await before.offer(mail(1, 2), 1);
  before.queue.observe({ type: 'input.accepted', messageId: 1, state: 'delivered', evidence: 'echo' });
  before.endTurn();
  await before.offer(mail(3), 1);
  await before.queue.programGone();
  expect(before.reports).toEqual([{ messageId: 1, state: 'delivered', evidence: 'echo' }, lost(2)]);
  expect(await life({ isContinued: false }).offer(mail(3), 1)).toMatchObject([{ messageIds: [3] }]);
});

test('what the program confirmed keeps its id until the relay has been told', async () => {
  const before = life({ isContinued: false, isRelayAway: true });
  const [first] = await before.offer(mail(1), 1);
  before.queue.observe({ type: 'input.accepted', messageId: 1, state: 'delivered', evidence: 'echo' });
  before.endTurn();
  await before.offer(mail(2), 2);
  expect((await life().offer(mail(1), 1))[0]).toEqual({ ...first, isRepeat: true });
});

test('what the program confirmed is not kept', async () => {
  const before = life({ isContinued: false });
  await before.offer(mail(1), 1);
  before.queue.observe({ type: 'input.accepted', messageId: 1, state: 'delivered', evidence: 'echo' });
  before.endTurn();
  await before.offer(mail(2), 2);
  expect(await life().offer(mail(1, 2), 1)).toMatchObject([{ messageIds: [1] }]);
});

test('what the program refuses together goes alone, under ids of its own', async () => {
  const [first] = await life({ isContinued: false }).offer(mail(1, 2), 1);
  const { offer, endTurn } = life({ refuse: ({ messageIds }) => messageIds.length > 1 });
  await offer(mail(1, 2), 1);
  endTurn();
  const prompts = await offer([], 2);
  expect(prompts.map(({ messageIds, isRepeat }) => [messageIds, isRepeat])).toEqual([
    [[1], undefined],
    [[2], undefined],
  ]);
  expect(new Set([first?.promptId, ...idsOf(prompts)]).size).toBe(3);
});

test.each(['', 'null', '[["Solo",[[1,["x"]],["1",["x","y"]],null]],[7,[]],"x"]', '{"Solo":1}'])(
  'a file that says %j says nothing of any message, which is told',
  async (content) => {
    writeFileSync(join(stateDir, 'prompt-ids.json'), content);
    const told: string[] = [];
    new PromptIds(stateDir, { ...silentLog, warn: (message) => void told.push(message) });
    expect(told).toEqual([expect.stringContaining('cannot be read')]);
    expect((await life().offer(mail(1), 1))[0]).not.toHaveProperty('isRepeat');
  },
);

test('what a conversation was handed goes to it again under its id, whichever way its session ended, until it has confirmed it', async () => {
  const ended = life({ isAsked: true, isGone: true, refuse: ({ messageIds }) => messageIds.includes(2) });
  const [first] = await ended.offer(mail(1), 1);
  ended.endTurn();
  // It may have come in all the same.
  await ended.offer(mail(2), 1);
  await ended.queue.programGone();
  expect(ended.reports).toEqual([]);
  const { offer, queue, reports, endTurn } = life({ isAsked: true });
  const prompts = [...(await offer(mail(1, 2, 3), 3))];
  expect(prompts[0]).toEqual({ ...first, isRepeat: true });
  expect(prompts.map(({ messageIds, isRepeat = false }) => [messageIds, isRepeat])).toEqual([
    [[1], true],
    [[2], true],
    [[3], false],
  ]);
  queue.observe({ type: 'input.accepted', messageId: 1, state: 'delivered', evidence: 'echo' });
  endTurn();
  await offer(mail(4), 4);
  expect(reports).toEqual([{ messageId: 1, state: 'delivered', evidence: 'echo' }]);
  expect((await life({ isAsked: true }).offer(mail(1), 1))[0]).not.toHaveProperty('isRepeat');
});

test('context that a killed process was handing over is told and not handed over again: no conversation can be asked for it', async () => {
  const context = [inboxItem(1, 'by the way', 'fyi')];
  await life({ isAsked: true }).offer(context, 1);
  const { offer, reports } = life({ isAsked: true });
  await offer(context, 0);
  expect(reports).toEqual([lost(1)]);
});

test('what cannot be handed over again at the moment keeps its id', async () => {
  const [first] = await life({ isAsked: true }).offer(mail(1), 1);
  let refusals = 0;
  const { offer } = life({ isAsked: true, isBusy: () => refusals++ === 0 });
  expect((await offer(mail(1), 1))[0]).toEqual({ ...first, isRepeat: true });
});

test('whoever is handed again what other conversations had is told which, however often that happens', async () => {
  const isBusy = () => true;
  await life({ isAsked: true, conversation: 'one' }).offer(mail(1), 1);
  const [second] = await life({ isAsked: true, conversation: 'two' }).offer(mail(1), 1);
  expect(second).toMatchObject({ isRepeat: true, handedTo: ['one'] });
  const busy = life({ isAsked: true, conversation: 'three', isBusy });
  busy.queue.offer(mail(1));
  await expect.poll(() => busy.queue.waitingCount).toBe(1);
  busy.queue.close();
  const [again] = await life({ isAsked: true, conversation: 'one' }).offer(mail(1), 1);
  expect(again).toMatchObject({ isRepeat: true, handedTo: ['two', 'three'] });
});

test('what a conversation goes on with by itself names no other', async () => {
  await life({ isAsked: true, conversation: 'one' }).offer(mail(1), 1);
  const [again] = await life({ isAsked: true, conversation: 'one' }).offer(mail(1), 1);
  expect(again).toMatchObject({ isRepeat: true });
  expect(again).not.toHaveProperty('handedTo');
});
