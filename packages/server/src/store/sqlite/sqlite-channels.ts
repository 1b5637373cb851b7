import type { ChannelBinding } from 'agent-relay-protocol';
import type { Statement } from 'better-sqlite3';
import type { Change, StoredMessage } from '../../domain/change.ts';
import type { ChannelLink } from '../../domain/channel.ts';
import type { BindingFacts, Decision, Done, Facts, InboundFacts, ReadingFacts } from '../../domain/facts.ts';
import type { ChannelStore, Conversation, InboundSubject } from '../channel-store.ts';

import { bindingColumns, bindingOrder } from './channel-table.ts';
import type { SqliteContext } from './context.ts';

export class SqliteChannels implements ChannelStore {
  readonly #context: SqliteContext;
  readonly #bindings: Statement<[{ readonly workspace: string; readonly channelId: string | null }], ChannelBinding>;
  readonly #linksOf: Statement<[number, string, string], ChannelLink>;
  readonly #newestIn: Statement<[{ readonly workspace: string; readonly channelId: string; readonly threadId: number }], ChannelLink>;

  constructor(context: SqliteContext) {
    this.#context = context;
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

  bind<Answer>({ workspace, channelId, conversationId }: Conversation, decide: (facts: BindingFacts) => Decision<Answer>): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const standing = changes.tables.channels.standingIn(workspace, channelId, conversationId);
      const existing = standing.filter((binding) => binding.conversationId === conversationId);
      return changes.carryOut(workspace, decide({ ...facts.of(workspace), existing })).answer;
    });
  }

  unbind<Answer>(
    { workspace, channelId, bindingId }: { readonly workspace: string; readonly channelId: string; readonly bindingId: string },
    decide: (found: ChannelBinding | null, facts: Facts) => Decision<Answer>,
  ): Promise<Answer> {
    const { writer, changes, facts } = this.#context;
    return writer.write(() => {
      const found = changes.tables.channels.find(workspace, channelId, bindingId);
      return changes.carryOut(workspace, decide(found, facts.of(workspace))).answer;
    });
  }

  receive<Answer>(subject: InboundSubject, decide: (facts: InboundFacts) => Decision<Answer>): Promise<Done<Answer>> {
    const { writer, changes } = this.#context;
    return writer.write(() => changes.carryOut(subject.workspace, decide(this.#inbound(subject))));
  }

  link(workspace: string, messageId: number, decide: (found: StoredMessage | null, facts: ReadingFacts) => Change): Promise<void> {
    const { writer, changes, facts, participants } = this.#context;
    return writer.write(() => {
      const found = changes.tables.messages.get(workspace, messageId);
      changes.apply(workspace, decide(found, { ...facts.of(workspace), participants: participants.thunk(found) }));
    });
  }

  async linksOf(workspace: string, channelId: string, messageId: number): Promise<readonly ChannelLink[]> {
    return this.#linksOf.all(messageId, workspace, channelId);
  }

  async newestLinkIn(workspace: string, channelId: string, threadId: number): Promise<ChannelLink | null> {
    return this.#newestIn.get({ workspace, channelId, threadId }) ?? null;
  }

  #inbound({ workspace, channelId, conversationId, externalId, replyToExternalId }: InboundSubject): InboundFacts {
    const { facts, changes, participants } = this.#context;
    const { channels, messages } = changes.tables;
    const linkedTo = (id: string) => channels.linkedTo(workspace, channelId, conversationId, id);
    const stored = ({ messageId }: { readonly messageId: number }) => messages.get(workspace, messageId) ?? [];
    const answered = replyToExternalId === null ? [] : linkedTo(replyToExternalId).flatMap(stored);
    return {
      ...facts.of(workspace),
      earlier: linkedTo(externalId)
        .filter(({ inbound }) => inbound === 1)
        .reverse()
        .flatMap(stored),
      bindings: channels.standingIn(workspace, channelId, conversationId),
      answered: answered.map((repliedTo) => ({ repliedTo, copy: facts.copyOf(workspace, repliedTo, channelId) })),
      participantsOf: ({ threadId }) => participants.of(workspace, threadId),
    };
  }
}
