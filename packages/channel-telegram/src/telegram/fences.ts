/** A code block of Markdown that is open. */
export interface Fence {
  /** What closes it: at least as many of the same sign, alone on a line. */
  readonly marker: string;
  readonly language: string;
}

/** The longest marker that is one. */
export const MAX_MARKER = 16;
const MAX_LANGUAGE = 32;

/** The code block that is open behind this line. */
export function fenceAfterLine(line: string, open: Fence | null): Fence | null {
  const [, marker, info = ''] = /^ {0,3}(`{3,16}|~{3,16})(?![`~])(.*)$/u.exec(line.replace(/\r$/u, '')) ?? [];
  if (marker === undefined) return open;
  if (open === null) return info.includes('`') ? null : { marker, language: (/\S+/u.exec(info)?.[0] ?? '').slice(0, MAX_LANGUAGE) };
  const closes = marker[0] === open.marker[0] && marker.length >= open.marker.length && info.trim() === '';
  return closes ? null : open;
}

/** The code block that is open behind these lines. */
export function fenceAfter(lines: string, before: Fence | null): Fence | null {
  return lines.split('\n').reduce<Fence | null>((fence, line) => fenceAfterLine(line, fence), before);
}
