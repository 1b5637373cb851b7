import { type Fence, fenceAfter, fenceAfterLine, MAX_MARKER } from './fences.ts';

/** The most that Telegram takes as one message, in UTF-16 code units. */
export const MAX_MESSAGE_LENGTH = 4096;

/**
 * Cuts a text into messages of at most `limit` code units: at a paragraph's end if one is near, else at a line's, else at a word's. A code
 * block that has to be cut is closed and opened again, so each part reads by itself. Surrogate pairs stay whole.
 */
export function splitText(text: string, limit = MAX_MESSAGE_LENGTH): readonly string[] {
  const parts: string[] = [];
  let rest = text;
  let fence: Fence | null = null;
  while (rest !== '') {
    const prefix: string = fence === null ? '' : `${fence.marker}${fence.language}\n`;
    if (prefix.length + rest.length <= limit) {
      parts.push(prefix + rest);
      break;
    }
    const cut = findCut(rest, limit - prefix.length - MAX_MARKER - 1, fence);
    const chunk = rest.slice(0, cut.end);
    fence = fenceAfter(chunk, fence);
    parts.push(prefix + (fence === null ? chunk.trimEnd() : `${chunk}\n${fence.marker}`));
    rest = fence === null ? rest.slice(cut.next).replace(/^\n+/u, '') : rest.slice(cut.next);
  }
  return parts.filter((part) => part.trim() !== '');
}

interface Cut {
  /** Where this part ends and the next begins; what lies between is white space. */
  readonly end: number;
  readonly next: number;
}

/** The best place for a cut within the first `room` code units. Places in the first half would make needlessly many parts. */
function findCut(text: string, room: number, fence: Fence | null): Cut {
  const nearest = Math.floor(room / 2);
  let inside = fence;
  let lineStart = 0;
  let paragraph = -1;
  let line = -1;
  let lineInCode = -1;
  for (let end = text.indexOf('\n'); end !== -1 && end <= room; end = text.indexOf('\n', lineStart)) {
    inside = fenceAfterLine(text.slice(lineStart, end), inside);
    lineStart = end + 1;
    if (end < nearest) continue;
    if (inside !== null) lineInCode = end;
    else if (text[end + 1] === '\n') paragraph = end;
    else line = end;
  }
  const lineEnd = [paragraph, line, lineInCode].find((end) => end !== -1);
  if (lineEnd !== undefined) return { end: lineEnd, next: lineEnd + 1 };
  const space = Math.max(text.lastIndexOf(' ', room), text.lastIndexOf('\t', room));
  if (space >= nearest) return { end: space, next: space + 1 };
  const end = isHighSurrogate(text.charCodeAt(room - 1)) ? room - 1 : room;
  return { end, next: end };
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
