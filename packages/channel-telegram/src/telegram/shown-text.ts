import type { Message, MessageEntity } from 'grammy/types';
import { nameLine, nameOf } from './names.ts';

interface Mark {
  readonly at: number;
  readonly text: string;
  readonly isClosing: boolean;
}

/**
 * The text of a message with what the person sees and its letters do not hold: where links lead, what is code, whose words are forwarded or
 * quoted. Forwarded and quoted words stand behind `>`, so that nobody else's pass as the sender's.
 */
export function shownText(message: Message): string {
  const marked = withMarks(message.text ?? message.caption ?? '', message.entities ?? message.caption_entities ?? []);
  const about = quoted(message);
  const origin = forwardedFrom(message);
  const own = origin === null ? marked : `(forwarded from ${origin})\n${behindQuote(marked)}`;
  return about === null ? own : `${about}\n\n${own}`;
}

export const isForwarded = ({ forward_origin }: Message): boolean => forward_origin !== undefined;

function forwardedFrom({ forward_origin: origin }: Message): string | null {
  switch (origin?.type) {
    case undefined:
      return null;
    case 'user':
      return nameOf(origin.sender_user);
    case 'hidden_user':
      return nameLine(origin.sender_user_name) || 'somebody';
    case 'chat':
      return nameLine(origin.sender_chat.title ?? `chat ${origin.sender_chat.id}`);
    case 'channel':
      return nameLine(origin.chat.title ?? `channel ${origin.chat.id}`);
    default:
      return 'elsewhere';
  }
}

/** The words that a reply points at, where the person chose some. */
function quoted({ quote, external_reply: elsewhere }: Message): string | null {
  if (quote === undefined || quote.text.trim() === '') return elsewhere === undefined ? null : '(about a message of another chat)';
  const words = behindQuote(quote.text);
  return elsewhere === undefined ? words : `(about a message of another chat)\n${words}`;
}

const behindQuote = (text: string): string => text.replaceAll(/^/gmu, '> ');

function withMarks(text: string, entities: readonly MessageEntity[]): string {
  const marks = entities.flatMap((entity) => (isWithin(text, entity) ? marksOf(text, entity) : []));
  // At one place what ends comes before what begins.
  marks.sort((left, right) => left.at - right.at || Number(right.isClosing) - Number(left.isClosing));
  let marked = '';
  let from = 0;
  for (const mark of marks) {
    marked += text.slice(from, mark.at) + mark.text;
    from = mark.at;
  }
  return marked + text.slice(from);
}

const isWithin = (text: string, { offset, length }: MessageEntity): boolean => offset >= 0 && length > 0 && offset + length <= text.length;

function marksOf(text: string, entity: MessageEntity): Mark[] {
  const { offset, length } = entity;
  const end = offset + length;
  const inner = text.slice(offset, end);
  const around = (before: string, after: string): Mark[] => [
    { at: offset, text: before, isClosing: false },
    { at: end, text: after, isClosing: true },
  ];
  switch (entity.type) {
    case 'text_link':
      return around('[', `](${entity.url})`);
    case 'code': {
      const ticks = '`'.repeat(longestRun(inner) + 1);
      const gap = /^`|`$/u.test(inner) ? ' ' : '';
      return around(`${ticks}${gap}`, `${gap}${ticks}`);
    }
    case 'pre': {
      const fence = '`'.repeat(Math.max(3, longestRun(inner) + 1));
      const before = offset === 0 || text[offset - 1] === '\n' ? '' : '\n';
      const after = end === text.length || text[end] === '\n' ? '' : '\n';
      return around(`${before}${fence}${entity.language ?? ''}\n`, `${inner.endsWith('\n') ? '' : '\n'}${fence}${after}`);
    }
    case 'blockquote':
    case 'expandable_blockquote':
      return [offset, ...[...inner.matchAll(/\n(?=.)/gsu)].map(({ index }) => offset + index + 1)].map((at) => ({
        at,
        text: '> ',
        isClosing: false,
      }));
    default:
      return [];
  }
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/gu)].map(([run]) => run.length));
