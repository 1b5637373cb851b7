import { parseJson } from 'agent-relay-wire';
import { z } from 'zod';

/** What Claude Code's own inbox of a session takes: one line for each message. */
export interface InboxFrame {
  /** Fresh for each attempt. */
  readonly id: string;
  /** A socket that the model's answer comes to. */
  readonly replySocket: string;
  readonly fromName: string;
  readonly text: string;
}

export function encodeInboxFrame({ id, replySocket, fromName, text }: InboxFrame): string {
  const from = `uds:${replySocket}`;
  const name = fromName.replaceAll(/[^\w.-]/gu, '-').slice(0, 64);
  // Nothing that was said may end the wrapper and begin another.
  const said = text.replaceAll(/<(?=\/?cross-session-message)/giu, '<\\');
  const content = `<cross-session-message from="${from}" from-name="${name}">\n${said}\n</cross-session-message>`;
  const frame = { type: 'user', msgV: 1, msg_id: id, priority: 'next', from, message: { role: 'user', content } };
  return `${JSON.stringify(frame)}\n`;
}

const Text = z.looseObject({ type: z.literal('text'), text: z.string() });
const Frame = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('user'),
    message: z.looseObject({ content: z.union([z.string(), z.array(z.unknown())]) }),
  }),
  z.looseObject({
    type: z.literal('control'),
    action: z.literal('peer_message_status'),
    status: z.string(),
    msg_id: z.string().optional(),
    drop_reason: z.string().optional(),
  }),
]);

/** What comes to a reply socket: an answer of the model, or what became of a message. */
export type ReplyFrame =
  | { readonly type: 'answer'; readonly text: string }
  | { readonly type: 'status'; readonly status: string; readonly id: string | undefined; readonly reason: string | undefined };

/** Null for what this version does not know. */
export function decodeReplyFrame(line: string): ReplyFrame | null {
  const frame = Frame.safeParse(parsed(line)).data;
  if (frame === undefined) return null;
  if (frame.type === 'control') return { type: 'status', status: frame.status, id: frame.msg_id, reason: frame.drop_reason };
  const { content } = frame.message;
  const text = typeof content === 'string' ? content : content.flatMap((block) => Text.safeParse(block).data?.text ?? []).join('\n');
  const inner = /^\s*<cross-session-message[^>]*>\n?([\s\S]*?)\n?<\/cross-session-message>/u.exec(text)?.[1] ?? text;
  return inner.trim() === '' ? null : { type: 'answer', text: inner };
}

function parsed(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}
