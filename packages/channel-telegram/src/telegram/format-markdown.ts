import type { MessageEntity } from 'grammy/types';
import type { Text } from './bot-api.ts';
import { type Fence, fenceAfterLine } from './fences.ts';

/**
 * The little of Markdown that agents use most and that reads badly as it is: code blocks, code and bold. Marks become ranges instead of
 * Telegram's own markup, so no text can be malformed; what is not understood stays as it was written.
 */
export function formatMarkdown(source: string): Text {
  const entities: MessageEntity[] = [];
  let text = '';
  for (const { type, lines, language } of blocksOf(source.replaceAll('\r\n', '\n'))) {
    if (text !== '') text += '\n';
    if (type === 'prose') {
      text += formatProse(lines.join('\n'), text.length, entities);
      continue;
    }
    const code = lines.join('\n');
    entities.push({ type: 'pre', offset: text.length, length: code.length, ...(language !== '' && { language }) });
    text += code;
  }
  return entities.length === 0 ? { text: source } : { text, entities };
}

interface Block {
  readonly type: 'prose' | 'code';
  readonly lines: string[];
  readonly language: string;
}

/** Prose and code blocks in turn. A block that is never closed, or has nothing in it, is prose with its marks. */
function blocksOf(source: string): readonly Block[] {
  const blocks: Block[] = [];
  const addProse = (lines: readonly string[]) => {
    const last = blocks.at(-1);
    if (last?.type === 'prose') last.lines.push(...lines);
    else if (lines.length > 0) blocks.push({ type: 'prose', lines: [...lines], language: '' });
  };
  let fence: Fence | null = null;
  let open: string[] = [];
  for (const line of source.split('\n')) {
    const before: Fence | null = fence;
    fence = fenceAfterLine(line, fence);
    if (before === null && fence === null) addProse([line]);
    else open.push(line);
    if (before === null || fence !== null) continue;
    const code = open.slice(1, -1);
    if (code.join('').trim() === '') addProse(open);
    else blocks.push({ type: 'code', lines: code, language: before.language });
    open = [];
  }
  addProse(open);
  return blocks;
}

/** A code span ends with as many ticks as it begins with; stars within a word are arithmetic. */
const marks =
  /(?<!`)(?<ticks>`+)(?!`)(?<code>[^\n]*?[^`\n])\k<ticks>(?!`)|(?<![\p{L}\p{N}*])\*\*(?<bold>[^\s*](?:[^*\n]*[^\s*])?)\*\*(?![\p{L}\p{N}*])/gu;

/** Takes the marks out of prose and notes the ranges they marked. */
function formatProse(source: string, before: number, entities: MessageEntity[]): string {
  let text = '';
  let from = 0;
  for (const match of source.matchAll(marks)) {
    const { code, bold = '' } = match.groups ?? {};
    const inner = code === undefined ? bold : withoutGap(code);
    if (inner.trim() === '') continue;
    text += source.slice(from, match.index);
    entities.push({ type: code === undefined ? 'bold' : 'code', offset: before + text.length, length: inner.length });
    text += inner;
    from = match.index + match[0].length;
  }
  return text + source.slice(from);
}

/** Code that begins or ends with a tick stands between spaces, which are no part of it. */
const withoutGap = (code: string): string => (/^ .*\S.* $/u.test(code) ? code.slice(1, -1) : code);
