import { RelayError } from 'agent-relay-protocol';
import { aborted, backoffDelays, type Log, settlesWithin, sleep } from 'agent-relay-wire';
import type { UserFromGetMe } from 'grammy/types';
import { ApprovalBoard } from './approvals/approval-board.ts';
import type { ApprovalSource } from './approvals/approval-source.ts';
import type { ChannelPort } from './channel-port.ts';
import { commandMenu } from './commands.ts';
import { Inbound } from './inbound.ts';
import { Notices } from './notices.ts';
import { Outbound } from './outbound.ts';
import type { Settings } from './settings.ts';
import type { StateFile } from './state-file.ts';
import type { BotApi } from './telegram/bot-api.ts';
import { ChatSender, TelegramFatal } from './telegram/chat-sender.ts';
import { judgeFailure } from './telegram/judge-failure.ts';
import { pollUpdates } from './telegram/poll-updates.ts';

export interface TelegramChannelOptions {
  readonly api: BotApi;
  readonly port: ChannelPort;
  readonly approvals: ApprovalSource;
  readonly state: StateFile;
  readonly settings: Pick<Settings, 'allowedChats' | 'approvalChats' | 'approvers'>;
  readonly log: Log;
  readonly clock: { now(): number };
  /** The shortest time between two messages to one chat. Default 1000. */
  readonly chatIntervalMs?: number;
  /** How long stopping waits for what is in hand. Default 8000. */
  readonly drainMs?: number;
}

/** Why a channel ended: it was asked to, or the relay or Telegram will have no more of it. */
export type ChannelEnd = { readonly type: 'stopped' } | { readonly type: 'refused'; readonly reason: string };

const FAREWELL_MS = 3000;

/**
 * A running channel between one bot and one relay. Connects again to both for as long as it takes.
 *
 * States: running from the start; *stopping* takes nothing new and finishes what is in hand; *cutting* gives up the rest, which comes again
 * at the next start; then ended.
 */
export class TelegramChannel implements AsyncDisposable {
  /** Resolves once, when everything is closed. Rejects with what was not expected. */
  readonly ended: Promise<ChannelEnd>;
  readonly #options: TelegramChannelOptions;
  readonly #stopping = new AbortController();
  readonly #cutting = new AbortController();

  constructor(options: TelegramChannelOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<ChannelEnd> {
    const { port } = this.#options;
    port.signal.addEventListener('abort', () => this.#stopping.abort(), { once: true });
    try {
      const me = await this.#greet();
      if (me !== null) await this.#work(me);
      return this.#whyEnded(null);
    } catch (error) {
      return this.#whyEnded(error);
    } finally {
      this.#stopping.abort();
      this.#cutting.abort();
      await settlesWithin(port.close(), FAREWELL_MS);
    }
  }

  #whyEnded(error: unknown): ChannelEnd {
    const reason: unknown = this.#options.port.signal.aborted ? this.#options.port.signal.reason : error;
    if (reason instanceof TelegramFatal) return { type: 'refused', reason: reason.message };
    if (reason instanceof RelayError && reason.code === 'stale_session') {
      return { type: 'refused', reason: 'another process has become this channel' };
    }
    if (error !== null && !this.#cutting.signal.aborted) throw error;
    return { type: 'stopped' };
  }

  /** Who the bot is; null when it is stopped before Telegram could be reached. */
  async #greet(): Promise<UserFromGetMe | null> {
    const { api, log } = this.#options;
    const { signal } = this.#stopping;
    for (const delayMs of backoffDelays({ initialMs: 500 })) {
      if (signal.aborted) return null;
      try {
        const me = await api.me(signal);
        await api.dropWebhook(signal);
        await api.setCommands(commandMenu, signal);
        log.info('the bot is ready', { username: me.username });
        return me;
      } catch (error) {
        if (signal.aborted) return null;
        const verdict = judgeFailure(error);
        if (verdict === null) throw error;
        if (verdict.type === 'fatal') throw new TelegramFatal(verdict.reason, { cause: error });
        log.warn('Telegram cannot be reached, trying again', { error });
        await sleep(verdict.type === 'wait' ? verdict.ms : delayMs, { signal });
      }
    }
    return null;
  }

  async #work(me: UserFromGetMe): Promise<void> {
    const { api, port, state, settings, log, clock, approvals, chatIntervalMs = 1000, drainMs = 8000 } = this.#options;
    const stopping = this.#stopping.signal;
    const cutting = this.#cutting.signal;
    const sender = new ChatSender({ api, clock, log, signal: cutting, intervalMs: chatIntervalMs });
    const answerPress = (id: string, text: string) =>
      api.answerPress(id, text, cutting).catch((error: unknown) => log.warn('a press could not be answered', { error }));
    const board = new ApprovalBoard({ source: approvals, port, sender, state, answerPress, log, ...settings });
    const outbound = new Outbound({ port, sender, state, allowedChats: settings.allowedChats, log, stopping, cutting });
    const inbound = new Inbound({
      port,
      me,
      log,
      clock,
      state,
      notices: new Notices(sender, log),
      allowedChats: settings.allowedChats,
      onPress: (query) => board.press(query),
      onReply: (message, repliedTo) => board.reply(message, repliedTo),
      sentTo: (conversationId) => outbound.settled(conversationId),
    });
    const tasks = [
      pollUpdates({ api, log, signal: stopping, handle: (update) => inbound.handle(update) }),
      outbound.run(),
      board.run(stopping),
    ];
    // One that fails ends the others.
    for (const task of tasks) task.catch(() => this.#stopping.abort());
    const done = Promise.all(tasks);
    done.catch(() => {});
    await aborted(stopping);
    const isDone = await settlesWithin(
      Promise.allSettled(tasks).then(() => sender.drain()),
      drainMs,
    );
    if (!isDone) {
      log.warn('not everything in hand could be finished; it comes again at the next start');
      this.#cutting.abort();
      // What waits for a relay that is away ends with the channel.
      await settlesWithin(port.close(), FAREWELL_MS);
    }
    await done;
  }
}
