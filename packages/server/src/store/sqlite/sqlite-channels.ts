import type { ChannelBinding } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { AppendUnheld, StoredMessage } from '../../domain/change.ts';
import type { ChannelLink } from '../../domain/channel.ts';
import type { BindRequest, ChannelIndex, ChannelStore, InboundReport, LinkRequest } from '../channel-store.ts';
import type { AppendedMessage } from '../store.ts';
import { bindingColumns, bindingOrder } from './channel-table.ts';
import type { SqliteContext } from './context.ts';

/** Appends a message inside the write that is running. */
type AppendNow = (request: AppendUnheld) => AppendedMessage;

export class SqliteChannels implements ChannelStore {
  readonly index: ChannelIndex;
  readonly #context: SqliteContext;
  readonly #append: AppendNow;
  readonly #bindings: Statement<[{ readonly workspace: string; readonly channelId: string | null }], ChannelBinding>;
  readonly #linksOf: Statement<[number, string, string], ChannelLink>;
  readonly #newestIn: Statement<[{ readonly workspace: string; readonly channelId: string; readonly threadId: number }], ChannelLink>;

  constructor(context: SqliteContext, append: AppendNow) {
    this.#context = context;
    this.#append = append;
    this.index = context.changes.tables.channels;
    const { reader } = context;
    this.#bindings = reader.prepare(
      `SELECT ${bindingColumns} FROM channel_bindings WHERE workspace = @workspace AND (@channelId IS NULL OR channel_id = @channelId)
       ORDER BY ${bindingOrder}`,
    );
    const link = 'l.message_id AS messageId, l.conversation_id AS conversationId, l.external_id AS externalId';
    this.#linksOf = reader.prepare(
      `SELECT ${link} FROM channel_links l WHERE l.message_id = ? AND l.workspace = ? AND l.channel_id = ? ORDER BY l.part`,
    );
    this.#newestIn = reader.prepare(
      `SELECT ${link} FROM messages m JOIN channel_links l ON l.message_id = m.id
       WHERE (m.id = @threadId OR m.thread_id = @threadId) AND l.workspace = @workspace AND l.channel_id = @channelId
       ORDER BY l.message_id DESC, l.part LIMIT 1`,
    );
  }

  async bindings(workspace: string, channelId?: string): Promise<readonly ChannelBinding[]> {
    return this.#bindings.all({ workspace, channelId: channelId ?? null });
  }

  bind({ workspace, channelId, conversationId, decide }: BindRequest): ReturnType<ChannelStore['bind']> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      const { channels } = changes.tables;
      const standing = channels.standingIn(workspace, channelId, conversationId);
      const existing = standing.filter((binding) => binding.conversationId === conversationId);
      const binding = decide(existing);
      const created = !existing.includes(binding);
      if (created) channels.bind(workspace, binding);
      return { binding, created };
    });
  }

  unbind(
    workspace: string,
    channelId: string,
    bindingId: string,
    at: number,
    decide: (found: ChannelBinding | null) => ChannelBinding,
  ): Promise<ChannelBinding> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      const binding = decide(changes.tables.channels.find(workspace, channelId, bindingId));
      changes.tables.channels.unbind(workspace, binding, at);
      return binding;
    });
  }

  receive(report: InboundReport): ReturnType<ChannelStore['receive']> {
    return this.#context.writer.write(() => this.#receive(report));
  }

  link({ workspace, channelId, messageId, conversationId, externalIds, decide }: LinkRequest): Promise<void> {
    const { writer, changes } = this.#context;
    return writer.write(() => {
      const { channels, messages } = changes.tables;
      decide(messages.get(workspace, messageId));
      for (const [part, externalId] of externalIds.entries()) {
        channels.link(workspace, channelId, conversationId, { externalId, messageId, part, inbound: false });
      }
    });
  }

  async linksOf(workspace: string, channelId: string, messageId: number): Promise<readonly ChannelLink[]> {
    return this.#linksOf.all(messageId, workspace, channelId);
  }

  async newestLinkIn(workspace: string, channelId: string, threadId: number): Promise<ChannelLink | null> {
    return this.#newestIn.get({ workspace, channelId, threadId }) ?? null;
  }

  #receive(report: InboundReport): { readonly messages: readonly StoredMessage[]; readonly created: boolean } {
    const { workspace, channelId, conversationId, externalId, replyToExternalId, decide } = report;
    const { channels, messages } = this.#context.changes.tables;
    const linkedTo = (id: string) => channels.linkedTo(workspace, channelId, conversationId, id);
    const stored = (ids: readonly number[]) => ids.flatMap((id) => messages.get(workspace, id) ?? []);
    const earlier = linkedTo(externalId).filter(({ inbound }) => inbound === 1);
    if (earlier.length > 0) return { messages: stored(earlier.map(({ messageId }) => messageId).reverse()), created: false };
    const answered = replyToExternalId === null ? [] : stored(linkedTo(replyToExternalId).map(({ messageId }) => messageId));
    const requests = decide({ bindings: channels.standingIn(workspace, channelId, conversationId), answered });
    const appended = requests.map((request) => this.#append(request));
    for (const { message } of appended) {
      channels.link(workspace, channelId, conversationId, { externalId, messageId: message.id, part: 0, inbound: true });
    }
    return { messages: appended, created: true };
  }
}
