import { type Message, RELAY_AGENT_ID } from 'agent-relay-protocol';
import type { NewMessage } from './change.ts';
import { draftOf } from './message.ts';

/** The kind of the relay's own mail. Nothing that happens to a notice is told by another notice. */
export const NOTICE_KIND = 'notice';

export const isNotice = (message: Pick<Message, 'from' | 'kind'>): boolean =>
  message.from === RELAY_AGENT_ID && message.kind === NOTICE_KIND;

export interface Notice {
  readonly to: string;
  readonly body: string;
  readonly about: number | null;
  readonly payload: NonNullable<Message['payload']>;
  readonly at: number;
  /** `fyi` for what must not begin a turn. Default next. */
  readonly mode?: Message['mode'];
}

/** Mail from the relay to one agent. */
export function noticeTo({ to, body, about, payload, at, mode = 'next' }: Notice): NewMessage {
  const draft = draftOf({
    from: RELAY_AGENT_ID,
    to: `id:${to}`,
    body,
    kind: NOTICE_KIND,
    mode,
    payload: about === null ? payload : { ...payload, messageId: about },
    sender: { relation: 'system', principal: RELAY_AGENT_ID },
    createdAt: at,
  });
  return { draft, matched: 1 };
}

/** What is kept of mail that came to nothing until its sender is told. */
export type LostMail = Pick<Message, 'id' | 'from' | 'kind'>;

/** One notice for each sender of mail that came to nothing; notices themselves are not told of. */
export function noticesToSenders(
  messages: readonly LostMail[],
  write: (lost: readonly LostMail[]) => { readonly body: string; readonly payload: NonNullable<Message['payload']> },
  at: number,
): readonly NewMessage[] {
  const bySender = new Map<string, LostMail[]>();
  for (const message of messages) {
    if (isNotice(message)) continue;
    const lost = bySender.get(message.from) ?? [];
    lost.push(message);
    bySender.set(message.from, lost);
  }
  return [...bySender].map(([to, lost]) => noticeTo({ to, ...write(lost), about: lost.length === 1 ? (lost[0]?.id ?? null) : null, at }));
}
