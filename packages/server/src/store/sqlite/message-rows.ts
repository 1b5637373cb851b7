import type { DeliveryMode, Expectation, Message, Relation } from 'agent-relay-protocol';
import type { StoredMessage } from '../../domain/change.ts';

export const messageColumns =
  'id, workspace, sender, address, channel, thread_id, relation, principal, matched, created_at, expires_at, body, extra, deleted_at';

export interface MessageRow {
  readonly id: number;
  readonly workspace: string;
  readonly sender: string;
  readonly address: string;
  readonly channel: string | null;
  readonly thread_id: number | null;
  /** Written by this version only, from a Message. */
  readonly relation: Relation;
  readonly principal: string;
  readonly matched: number;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly body: string;
  readonly extra: string | null;
  readonly deleted_at: number | null;
}

/** What most messages do not have shares one column, null when all of it is as usual. */
interface Extra {
  readonly subject?: string;
  readonly kind?: string;
  readonly claimable?: true;
  readonly replyTo?: number;
  readonly mode?: DeliveryMode;
  readonly hops?: number;
  readonly payload?: NonNullable<Message['payload']>;
  readonly meta?: NonNullable<Message['meta']>;
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly expects?: Expectation;
}

const usualKind = 'chat';
const usualMode = 'next';

export function extraOf(message: Message): string | null {
  const { subject, kind, claimable, replyTo, mode, hops, payload, meta, traceparent, tracestate, expects } = message;
  const isTraced = traceparent !== undefined || tracestate !== undefined;
  const isPlain = subject === null && kind === usualKind && !claimable && mode === usualMode && payload === null && meta === null;
  // Only an answer has hops.
  if (isPlain && replyTo === null && !isTraced && expects === undefined) return null;
  const extra: Extra = {
    ...(subject === null ? {} : { subject }),
    ...(kind === usualKind ? {} : { kind }),
    ...(claimable ? { claimable } : {}),
    ...(replyTo === null ? {} : { replyTo }),
    ...(mode === usualMode ? {} : { mode }),
    ...(hops === 0 ? {} : { hops }),
    ...(payload === null ? {} : { payload }),
    ...(meta === null ? {} : { meta }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
    ...(expects === undefined ? {} : { expects }),
  };
  return JSON.stringify(extra);
}

/** How much text the row is, about. */
export const messageCharacters = ({ body, extra }: Pick<MessageRow, 'body' | 'extra'>): number =>
  body.length + (extra?.length ?? 0) + ROW_CHARACTERS;

/** The names and values that every message has. */
const ROW_CHARACTERS = 400;

export function toStoredMessage(row: MessageRow): StoredMessage {
  // Only `extraOf` writes this column.
  const extra: Extra = row.extra === null ? {} : (JSON.parse(row.extra) as Extra);
  return {
    workspace: row.workspace,
    matched: row.matched,
    message: {
      id: row.id,
      from: row.sender,
      to: row.address,
      body: row.body,
      subject: extra.subject ?? null,
      channel: row.channel,
      kind: extra.kind ?? usualKind,
      claimable: extra.claimable ?? false,
      replyTo: extra.replyTo ?? null,
      threadId: row.thread_id ?? row.id,
      mode: extra.mode ?? usualMode,
      expiresAt: row.expires_at,
      payload: extra.payload ?? null,
      meta: extra.meta ?? null,
      ...(extra.traceparent === undefined ? {} : { traceparent: extra.traceparent }),
      ...(extra.tracestate === undefined ? {} : { tracestate: extra.tracestate }),
      ...(extra.expects === undefined ? {} : { expects: extra.expects }),
      sender: { relation: row.relation, principal: row.principal },
      hops: extra.hops ?? 0,
      createdAt: row.created_at,
      deletedAt: row.deleted_at,
    },
  };
}
