import { type ChannelBinding, EVERY_CONVERSATION } from 'agent-relay-protocol';
import type { Database, Statement } from 'better-sqlite3';
import type { ChannelLink } from '../../domain/channel.ts';

/** Columns under the names of the record's fields. */
export const bindingColumns =
  'binding_id AS bindingId, channel_id AS channelId, conversation_id AS conversationId, target, mode, created_at AS createdAt, created_by AS createdBy';
export const bindingOrder = 'conversation_id, created_at, binding_id';

/** Writes bindings and links; inside `writer.write` only. */
export class ChannelTable {
  readonly #put: Statement<[string, ChannelBinding]>;
  readonly #remove: Statement<[string, string, string, string]>;
  readonly #removeLinks: Statement<[string, string]>;
  readonly #find: Statement<[string, string, string], ChannelBinding>;
  readonly #of: Statement<[string, string], ChannelBinding>;
  readonly #standing: Statement<[string, string, string, string], ChannelBinding>;
  readonly #isBound: Statement<[string, string], number>;
  readonly #link: Statement<[string, string, string, string, number, number, number]>;
  readonly #linked: Statement<[string, string, string, string], { readonly messageId: number; readonly inbound: number }>;

  constructor(database: Database) {
    const select = `SELECT ${bindingColumns} FROM channel_bindings WHERE workspace = ? AND channel_id = ?`;
    this.#put = database.prepare(
      `INSERT INTO channel_bindings (workspace, binding_id, channel_id, conversation_id, target, mode, created_at, created_by)
       VALUES (?, @bindingId, @channelId, @conversationId, @target, @mode, @createdAt, @createdBy)`,
    );
    this.#remove = database.prepare(
      'DELETE FROM channel_bindings WHERE workspace = ? AND channel_id = ? AND conversation_id = ? AND binding_id = ?',
    );
    this.#removeLinks = database.prepare('DELETE FROM channel_links WHERE workspace = ? AND channel_id = ?');
    this.#find = database.prepare(`${select} AND binding_id = ?`);
    this.#of = database.prepare(`${select} ORDER BY ${bindingOrder}`);
    this.#standing = database.prepare(`${select} AND conversation_id IN (?, ?) ORDER BY ${bindingOrder}`);
    this.#isBound = database
      .prepare<[string, string], number>('SELECT 1 FROM channel_bindings WHERE workspace = ? AND channel_id = ? LIMIT 1')
      .pluck();
    this.#link = database.prepare(
      `INSERT INTO channel_links (workspace, channel_id, conversation_id, external_id, message_id, part, inbound) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#linked = database.prepare(
      `SELECT message_id AS messageId, inbound FROM channel_links
       WHERE workspace = ? AND channel_id = ? AND conversation_id = ? AND external_id = ? ORDER BY message_id DESC`,
    );
  }

  isBound(workspace: string, channelId: string): boolean {
    return this.#isBound.get(workspace, channelId) !== undefined;
  }

  /** Those of a channel, by conversation. */
  of(workspace: string, channelId: string): readonly ChannelBinding[] {
    return this.#of.all(workspace, channelId);
  }

  find(workspace: string, channelId: string, bindingId: string): ChannelBinding | null {
    return this.#find.get(workspace, channelId, bindingId) ?? null;
  }

  /** Those of a conversation, and those of every conversation. */
  standingIn(workspace: string, channelId: string, conversationId: string): readonly ChannelBinding[] {
    return this.#standing.all(workspace, channelId, conversationId, EVERY_CONVERSATION);
  }

  bind(workspace: string, binding: ChannelBinding): void {
    this.#put.run(workspace, binding);
  }

  unbind(workspace: string, { channelId, conversationId, bindingId }: ChannelBinding): void {
    this.#remove.run(workspace, channelId, conversationId, bindingId);
  }

  removeLinks(workspace: string, channelId: string): void {
    this.#removeLinks.run(workspace, channelId);
  }

  link(
    workspace: string,
    channelId: string,
    { conversationId, externalId, messageId, part, inbound }: ChannelLink & { readonly part: number; readonly inbound: boolean },
  ): void {
    this.#link.run(workspace, channelId, conversationId, externalId, messageId, part, Number(inbound));
  }

  /** The messages that the outside knows by this name, newest first. */
  linkedTo(workspace: string, channelId: string, conversationId: string, externalId: string) {
    return this.#linked.all(workspace, channelId, conversationId, externalId);
  }
}
