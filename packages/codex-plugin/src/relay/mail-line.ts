import { type CodexClient, type CodexThread, isRefusedForNow, type ThreadRecovery } from 'agent-relay-codex-app-server';
import type { ApprovalMode, DeliveryReport, InboxItem } from 'agent-relay-protocol';
import { backoffDelays, formatEnvelope, isRetryable, JsonRpcError, RecentMap, RecentSet, Serial, sleep } from 'agent-relay-wire';
import { z } from 'zod';
import type { ContextNote } from '../session/context-note.ts';
import { type AgentAtRelay, approvalNow, isSessionOver } from './agent-presence.ts';
import { clientIdOfMail, messageIdOfMail } from './mail-ids.ts';
import { MailReports } from './mail-reports.ts';
import { type QueuedMail, QueuePlace } from './queue-place.ts';

/** Where mail goes. */
export interface MailThreads {
  readonly joined: Pick<CodexThread, 'id' | 'interrupt'> | undefined;
  /** Whether a turn runs there. */
  readonly isBusy: boolean;
  /** Waits for the first conversation, and until it knows who it is. Rejects with the signal's reason. */
  current(signal: AbortSignal): Promise<string>;
  /** Waits until no turn runs there. */
  idle(signal: AbortSignal): Promise<void>;
  /** A turn is about to begin, or, with `false`, does not: then nothing runs there but what is known to. */
  expectTurn(threadId: string, isExpected: boolean): void;
  /** The server was away, and what is known to run is all that does. */
  settle(): void;
}

export interface MailLineOptions {
  readonly codex: Pick<CodexClient, 'ask' | 'request' | 'sendOnce' | 'turnOfMessage' | 'takeFromQueue' | 'isExperimental'>;
  readonly threads: () => MailThreads;
  readonly onError: (error: unknown) => void;
  /** The conversation is older than this line: what waits may have been handed over by a process that ended before it said so. */
  readonly isContinued: boolean;
  /** The agent's. */
  readonly context: ContextNote;
  /** As `QueuePlaceOptions` has it. */
  readonly goneAfterMs?: number;
}

interface Said {
  readonly threadId: string;
  readonly clientUserMessageId: string;
  readonly input: readonly { readonly type: 'text'; readonly text: string }[];
}

/** Empty while it waits in the queue. */
interface Found {
  readonly threadId: string;
  readonly turnId: string;
}

const textInput = (text: string) => [{ type: 'text' as const, text, text_elements: [] }];
const remembered = 4096;
const betweenMs = 1_000;
/** What does not wait for the one before it is seen behind as much as does. */
const lookedAt = 256;
/** What became open while the mail waited is still handed over as it was meant. */
const narrower = (earlier: ApprovalMode, now: ApprovalMode): ApprovalMode => (now === 'open' ? earlier : now);
const lostContext = 'The session that was giving this to Codex ended before Codex answered: nobody knows whether the agent has read it';
const takenOut = 'It waits in Codex’s queue no more, and is in no turn of the conversation: the agent has not read it, as far as is known';
/** Given back as they came. */
export const SettingsAnswer = z.looseObject({ approvalPolicy: z.json(), sandbox: z.json() });

/**
 * The agent's mail on its way into the conversation that its person works in, and what became of it on the way back. Codex takes a message
 * beside what is being typed: the draft stays as it is.
 */
export class MailLine {
  readonly #options: MailLineOptions;
  /** Handed to Codex, and in which conversation; the relay shows them until their receipts are there. */
  readonly #given = new RecentMap<string, string>(remembered);
  /** What Codex repeats no more: it has become context, or Codex refused it. */
  readonly #settled = new RecentSet<string>(remembered);
  readonly #echoed = new RecentSet<string>(remembered);
  /** Given to a server that died, and not repeated: looked for in its conversation before it goes again. */
  readonly #uncertain = new RecentMap<string, string>(remembered);
  /** Waited when the conversation was continued. */
  readonly #earlier = new RecentSet<string>(remembered);
  readonly #place: QueuePlace;
  readonly #inTurn = new Map<string, number[]>();
  readonly #reports: MailReports;
  #attached: AgentAtRelay | undefined;
  /** How often something that was given may have been lost. */
  #losses = 0;
  /** A turn is expected, and Codex has not answered yet. */
  #isBeginning = false;
  readonly #running = new Serial();
  /** Nothing was handed over yet, and something may have been before. */
  #mayBeKnown: boolean;

  constructor(options: MailLineOptions) {
    this.#options = options;
    this.#mayBeKnown = options.isContinued;
    this.#place = new QueuePlace(options);
    this.#reports = new MailReports(options);
  }

  /** Hands over mail until the agent is no longer there, or the signal aborts. What an earlier run is in the middle of goes first. */
  async run(attached: AgentAtRelay, signal: AbortSignal): Promise<void> {
    this.#attached = attached;
    this.#reports.begin(attached);
    const over = AbortSignal.any([signal, attached.handle.signal]);
    await this.#running.run(() => this.#handOverMail(attached, over));
  }

  async #handOverMail(attached: AgentAtRelay, over: AbortSignal): Promise<void> {
    const { client, handle } = attached;
    let delays = backoffDelays({ initialMs: 100, maxMs: 5_000 });
    while (!over.aborted) {
      const { freed } = this.#place;
      try {
        const guard = { id: handle.id, instanceId: handle.instanceId, epoch: handle.epoch };
        const { data } = await client.inbox.list({ ...guard, waitMs: 25_000, limit: lookedAt }, { signal: over });
        if (this.#mayBeKnown) await this.#expectKnown(data, over);
        const fresh = data.filter(({ message }) => !this.#given.has(clientIdOfMail(message)));
        const left = await this.#handOverAll(fresh, attached, over);
        if (left < fresh.length || data.length === 0) delays = backoffDelays({ initialMs: 100, maxMs: 1_000 });
        if (left > 0 || (fresh.length === 0 && data.length > 0)) await this.#rest(freed, delays.next().value, over);
      } catch (error) {
        if (over.aborted) return;
        if (isSessionOver(error)) attached.over(error);
        else if (!isRetryable(error)) this.#options.onError(error);
        await sleep(delays.next().value, { signal: over });
      }
    }
  }

  /**
   * For the threads that this mail goes into: a queue runs as soon as a new server has loaded its thread, and what it is beginning with is nowhere to be
   * found. What waits there is taken out before, and goes again in its order.
   */
  readonly recovery: ThreadRecovery = {
    unconfirmed: (threadId) => {
      const all = [...this.#given, ...this.#uncertain];
      return new Set(all.flatMap(([id, where]) => (where === threadId && this.#isOpen(id) ? [id] : [])));
    },
    // What was found is found again before anything goes a second time.
    forgotten: (_, threadId) => this.#forgotten(threadId),
    resumed: () => {
      if (!this.#isBeginning) this.#options.threads().settle();
    },
  };

  /** Codex has repeated an id that it was handed. */
  echoed(clientId: string, turnId: string): void {
    const messageId = messageIdOfMail(clientId);
    if (messageId === null || this.#echoed.has(clientId)) return;
    this.#echoed.add(clientId);
    this.#given.set(clientId, this.#given.get(clientId) ?? '');
    this.#place.left(clientId);
    this.#inTurn.set(turnId, [...(this.#inTurn.get(turnId) ?? []), messageId]);
    this.#reports.add({ messageId, state: 'delivered', evidence: 'echo' });
  }

  /** Codex's server is another one: what the one before had taken and not repeated may be gone with it. */
  serverDied(): void {
    for (const threadId of new Set([...this.#given].map(([, where]) => where))) this.#forgotten(threadId);
  }

  turnEnded(turnId: string, hasRun: boolean): void {
    const ids = this.#inTurn.get(turnId) ?? [];
    this.#inTurn.delete(turnId);
    if (hasRun) for (const messageId of ids) this.#reports.add({ messageId, state: 'seen', evidence: 'turn' });
  }

  /** What became of the newest mail reaches the relay, where it is there. */
  async settle(): Promise<void> {
    await this.#reports.flush();
  }

  /** What the conversation had in its queue runs as soon as it is there, and is in no list until its turn has begun. */
  async #expectKnown(items: readonly InboxItem[], signal: AbortSignal): Promise<void> {
    await this.#options.threads().current(signal);
    if (items.length > 0) await sleep(betweenMs, { signal });
    signal.throwIfAborted();
    for (const { message } of items) this.#earlier.add(clientIdOfMail(message));
    this.#mayBeKnown = false;
  }

  /** Each mode in its order: what waits for its place in Codex's queue keeps nothing that goes another way. Answers how much is left for later. */
  async #handOverAll(items: readonly InboxItem[], attached: AgentAtRelay, signal: AbortSignal): Promise<number> {
    const waiting = new Set<string>();
    const losses = this.#losses;
    let left = 0;
    for (const item of items) {
      const { mode } = item.message;
      // What was given before and may be gone goes before the rest of these: they are listed anew.
      if (losses === this.#losses && !waiting.has(mode) && (await this.#handOver(item, attached, signal))) continue;
      waiting.add(mode);
      left += 1;
    }
    return left;
  }

  /** Until the place in Codex's queue is free, or it is time to look for more mail. */
  async #rest(freed: number, ms: number, signal: AbortSignal): Promise<void> {
    await this.#place.freedSince(freed, { signal: AbortSignal.any([signal, AbortSignal.timeout(ms)]) });
    const overdue = this.#place.overdue(this.#options.threads().isBusy);
    if (overdue) await this.#lookAfter(overdue, signal);
  }

  /** Nothing runs and this waits still: Codex says nothing where somebody took it out, its word may be missed, and a person's interrupt stops the queue. */
  async #lookAfter({ clientId, threadId }: QueuedMail, signal: AbortSignal): Promise<void> {
    const { codex, threads } = this.#options;
    const messageId = messageIdOfMail(clientId);
    let turnId = await codex.turnOfMessage(threadId, clientId);
    if (turnId === undefined) {
      // Codex may be about to begin with it.
      await sleep(betweenMs, { signal });
      turnId = await codex.turnOfMessage(threadId, clientId, { howeverLongAgo: true });
    }
    if (signal.aborted || threads().isBusy || !this.#place.isWaiting(clientId)) return;
    if (turnId === '') return this.#startQueue(clientId, threadId, signal);
    if (turnId) this.echoed(clientId, turnId);
    else if (messageId !== null) this.#settle(clientId, { messageId, state: 'failed', reason: takenOut });
    this.#place.left(clientId);
  }

  /** It would run with the person's rights: where mail has less by now, it is taken back and gets a turn of its own. */
  async #startQueue(clientId: string, threadId: string, signal: AbortSignal): Promise<void> {
    const { codex } = this.#options;
    if (this.#attached && (await approvalNow(this.#attached, signal)) !== 'open') {
      if (!(await codex.takeFromQueue(threadId, clientId))) return;
      this.#mayBeGone(clientId, threadId);
      this.#place.left(clientId);
      return;
    }
    // Refused where somebody was quicker.
    await codex.request('thread/queue/start', { threadId }).catch(() => {});
  }

  #forgotten(threadId: string): void {
    for (const [clientId, where] of [...this.#given]) {
      if (where === threadId && this.#isOpen(clientId)) this.#mayBeGone(clientId, threadId);
    }
    if (this.#place.isTaken(threadId)) this.#place.free();
  }

  /** Codex may repeat it yet. */
  #isOpen(clientId: string): boolean {
    return !this.#echoed.has(clientId) && !this.#settled.has(clientId);
  }

  #isGiven(clientId: string, threadId: string): void {
    this.#uncertain.delete(clientId);
    this.#given.set(clientId, threadId);
  }

  #mayBeGone(clientId: string, threadId: string): void {
    this.#losses += 1;
    this.#given.delete(clientId);
    this.#uncertain.set(clientId, threadId);
  }

  /** It ends here, where Codex repeats nothing. */
  #settle(clientId: string, report: DeliveryReport): void {
    this.#isGiven(clientId, this.#given.get(clientId) ?? '');
    this.#settled.add(clientId);
    this.#reports.add(report);
  }

  /** False when there is no room for it now. */
  async #handOver(item: InboxItem, attached: AgentAtRelay, signal: AbortSignal): Promise<boolean> {
    const { context } = this.#options;
    const { id: messageId, mode } = item.message;
    const clientId = clientIdOfMail(item.message);
    if (mode === 'fyi' && context.has(item.message)) {
      this.#given.set(clientId, '');
      this.#settle(clientId, { messageId, state: 'failed', reason: lostContext });
      return true;
    }
    const threadId = await this.#options.threads().current(signal);
    if (mode === 'next' && this.#place.isTaken(threadId)) return false;
    let approval = await approvalNow(attached, signal);
    // What a model first reads in a person's turn has that turn's rights: what is only to be known gets a turn of its own too.
    if (approval !== 'open') {
      await this.#options.threads().idle(signal);
      approval = narrower(approval, await approvalNow(attached, signal));
    }
    // Before it is sent: its echo may be here before the answer.
    this.#given.set(clientId, this.#uncertain.get(clientId) ?? threadId);
    try {
      if (approval !== 'open') await this.#sayRestricted(threadId, item, approval);
      else if (mode === 'fyi') await this.#inject(threadId, item);
      else await this.#say(threadId, item);
    } catch (error) {
      const isForNow = isRefusedForNow(error);
      if (isForNow) {
        this.#given.delete(clientId);
        context.settled(messageId);
        return false;
      }
      if (!(error instanceof JsonRpcError)) {
        // Nothing says whether it arrived.
        this.#mayBeGone(clientId, this.#given.get(clientId) ?? this.#uncertain.get(clientId) ?? threadId);
        throw error;
      }
      // Codex does not take it, and will not take it later.
      this.#settle(clientId, { messageId, state: 'failed', reason: `Codex refused it: ${error.message}`.slice(0, 500) });
    }
    return true;
  }

  async #say(threadId: string, item: InboxItem): Promise<void> {
    const { codex, threads } = this.#options;
    const { mode } = item.message;
    const said = { threadId, clientUserMessageId: clientIdOfMail(item.message), input: textInput(formatEnvelope(item)) };
    const mayQueue = mode === 'next' && codex.isExperimental;
    const found = await this.#sayOnce(mayQueue ? 'thread/queue/add' : 'turn/start', said, {
      beforeSending: async () => {
        const { joined } = threads();
        if (mode === 'urgent' && joined?.id === threadId) await joined.interrupt();
      },
    });
    const isQueued = found ? found.turnId === '' : mayQueue;
    if (isQueued && !this.#echoed.has(said.clientUserMessageId)) this.#place.take(said.clientUserMessageId, found?.threadId ?? threadId);
  }

  /**
   * A turn of its own with the rights of mail, never part of another: nothing runs when this is called. Codex keeps what a turn was started with for those after it: the person's own
   * settings are put back at once, and the running turn keeps what it has.
   */
  async #sayRestricted(threadId: string, item: InboxItem, approval: ApprovalMode): Promise<void> {
    const { codex, threads, onError } = this.#options;
    const own = await codex.ask(SettingsAnswer, 'thread/resume', { threadId, excludeTurns: true });
    threads().expectTurn(threadId, true);
    this.#isBeginning = true;
    let begins = false;
    try {
      const said = { threadId, clientUserMessageId: clientIdOfMail(item.message), input: textInput(formatEnvelope(item)) };
      const rights = {
        approvalPolicy: approval === 'guarded' ? 'on-request' : 'never',
        sandboxPolicy: { type: 'readOnly', networkAccess: false },
      };
      const found = await this.#sayOnce('turn/start', { ...said, ...rights });
      // There it would run with the person's rights.
      const isTakenBack = found?.turnId === '' && (await codex.takeFromQueue(found.threadId, said.clientUserMessageId));
      begins = found === undefined || (isTakenBack && (await this.#sayOnce('turn/start', { ...said, ...rights })) === undefined);
    } finally {
      this.#isBeginning = false;
      if (!begins) threads().expectTurn(threadId, false);
      const { approvalPolicy, sandbox: sandboxPolicy } = own;
      // The mail has its turn all the same: it must not go again because this was refused.
      await codex.request('thread/settings/update', { threadId, approvalPolicy, sandboxPolicy }).catch(onError);
    }
  }

  /** Answers where it was found, when it was there before. */
  async #sayOnce(
    method: string,
    said: Said,
    options: { readonly beforeSending?: () => Promise<unknown> } = {},
  ): Promise<Found | undefined> {
    const { threadId, clientUserMessageId: clientId } = said;
    const before = this.#uncertain.get(clientId);
    let found = before === undefined || before === threadId ? undefined : await this.#find(before, said);
    if (!found) {
      this.#given.set(clientId, threadId);
      const mayHaveArrived = before === threadId || (this.#earlier.has(clientId) && 'long ago');
      const turnId = await this.#options.codex.sendOnce(method, said, { ...options, mayHaveArrived });
      found = turnId === undefined ? undefined : { threadId, turnId };
    }
    // Whatever died meanwhile, it has answered.
    this.#isGiven(clientId, found?.threadId ?? threadId);
    // In the conversation already, and nobody will repeat it.
    if (found?.turnId) this.echoed(clientId, found.turnId);
    return found;
  }

  /** In the conversation that it was given to, which mail goes into no more. */
  async #find(threadId: string, { clientUserMessageId: clientId, input }: Said): Promise<Found | undefined> {
    const text = input.map((each) => each.text).join('');
    const look = () =>
      this.#options.codex.turnOfMessage(threadId, clientId, { text }).catch((error: unknown) => {
        // One that Codex has no more.
        if (error instanceof JsonRpcError && !isRefusedForNow(error)) return undefined;
        throw error;
      });
    let turnId = await look();
    if (turnId === undefined) {
      await sleep(betweenMs);
      turnId = await look();
    }
    return turnId === undefined ? undefined : { threadId, turnId };
  }

  async #inject(threadId: string, item: InboxItem): Promise<void> {
    const clientId = clientIdOfMail(item.message);
    const text = formatEnvelope(item);
    this.#options.context.add(item.message);
    const items = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }];
    await this.#options.codex.request('thread/inject_items', { threadId, items });
    this.#isGiven(clientId, threadId);
    this.#settle(clientId, { messageId: item.message.id, state: 'delivered', evidence: 'accepted' });
  }
}
