import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AgentHandle, Message, RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { type FakeTelegram, startFakeTelegram } from 'agent-relay-testing';
import type { Log } from 'agent-relay-wire';
import { relayApprovals } from '../../src/approvals/approval-source.ts';
import { connectChannel } from '../../src/relay-channel.ts';
import type { Settings } from '../../src/settings.ts';
import { StateFile } from '../../src/state-file.ts';
import { createBotApi } from '../../src/telegram/bot-api.ts';
import { TelegramChannel } from '../../src/telegram-channel.ts';
import { poll } from './poll.ts';
import { testLog } from './test-log.ts';

/** Ann's and Ben's private chats, a forum with one topic, and somebody else's chat. */
export const ann = 7;
export const ben = 8;
export const forum = -100;
export const topic = 9000;
export const stranger = 66;

/** A real relay, a Bot API on loopback, and the channel between them. */
export class World implements AsyncDisposable {
  readonly telegram: FakeTelegram;
  readonly folder = mkdtempSync(join(tmpdir(), 'telegram-channel-'));
  readonly log: Log;
  readonly logLines: string[];
  /** What the channel has: no more than its README asks for. */
  readonly channelToken: string;
  relay: TestRelay;
  /** The owner's. */
  client: RelayClient;
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(telegram: FakeTelegram, relay: TestRelay, client: RelayClient, channelToken: string) {
    this.telegram = telegram;
    this.relay = relay;
    this.client = client;
    this.channelToken = channelToken;
    ({ log: this.log, lines: this.logLines } = testLog([telegram.token]));
  }

  static async open(): Promise<World> {
    const chats = [{ id: ann }, { id: ben }, { id: forum, title: 'Team', topics: [topic] }, { id: stranger }];
    const telegram = await startFakeTelegram({ chats });
    const folder = mkdtempSync(join(tmpdir(), 'telegram-relay-'));
    const relay = await startTestRelay({ databasePath: join(folder, 'relay.db') });
    const client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken, transport: 'socket' });
    const { token } = await client.tokens.create({ name: 'telegram', kind: 'channel', agentId: 'telegram' });
    const world = new World(telegram, relay, client, token);
    world.#closers.push(async () => rmSync(folder, { recursive: true, force: true }));
    return world;
  }

  /** Starts the channel; it serves everybody but the stranger. */
  async channel(settings: Partial<Settings> = {}, token = this.channelToken): Promise<TelegramChannel> {
    const { telegram, log } = this;
    const client = createNodeRelayClient({ url: this.relay.url, token, transport: 'socket' });
    this.#closers.push(() => client.close());
    const port = await connectChannel(client, { channelId: 'telegram', log, signal: new AbortController().signal });
    const channel = new TelegramChannel({
      api: createBotApi({ token: telegram.token, apiRoot: telegram.url }),
      port,
      approvals: relayApprovals(client),
      state: new StateFile(join(this.folder, 'state.json'), log),
      settings: { allowedChats: new Set([ann, ben, forum]), approvalChats: new Set(), approvers: null, ...settings },
      log,
      clock: Date,
      chatIntervalMs: 0,
      drainMs: 2000,
    });
    this.#closers.push(() => channel.stop());
    await poll('the bot to poll', () => telegram.isPolled);
    return channel;
  }

  async agent(id: string, extra: { readonly tags?: string[] } = {}): Promise<TestAgent> {
    const handle = await this.client.register({ id, name: id, ...extra });
    const agent = new TestAgent(handle);
    this.#closers.push(() => agent.close());
    return agent;
  }

  bind(conversationId: string, target: string, mode: 'exclusive' | 'fanout' = 'exclusive') {
    return this.client.channels.bind({ id: 'telegram', conversationId, target, mode });
  }

  /** What the bot wrote into a chat, once it is that many messages. */
  async botSays(chatId: number, count = 1) {
    await poll(`${count} messages of the bot in ${chatId}`, () => this.telegram.botMessages(chatId).length >= count);
    return this.telegram.botMessages(chatId);
  }

  async receiptOf(messageId: number) {
    const { data } = await this.client.messages.deliveries({ id: messageId });
    return data.find(({ agentId }) => agentId === 'telegram');
  }

  /** Ends the relay and starts it again at the same address, with the same database. */
  async withoutRelay(during: () => Promise<unknown>): Promise<void> {
    const { url, databasePath } = this.relay;
    await this.relay.close();
    await during();
    this.relay = await startTestRelay({ databasePath, settings: { PORT: new URL(url).port } });
  }

  onClose(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
    await this.client.close();
    await this.relay.close();
    rmSync(this.folder, { recursive: true, force: true });
    await this.telegram.close();
  }
}

/** An agent that keeps what it is told. */
export class TestAgent {
  readonly handle: AgentHandle;
  readonly mail: Message[] = [];
  readonly #reading: Promise<void>;

  constructor(handle: AgentHandle) {
    this.handle = handle;
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    for await (const message of this.handle.inbox()) this.mail.push(message);
  }

  /** Its mail, once it is that much. */
  async receives(count = 1): Promise<readonly Message[]> {
    await poll(`${count} messages for ${this.handle.id}`, () => this.mail.length >= count);
    return this.mail;
  }

  async close(): Promise<void> {
    await this.handle.close();
    await this.#reading;
  }
}
