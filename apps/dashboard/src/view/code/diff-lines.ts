/** A line of a unified diff. */
export interface DiffLine {
  readonly kind: 'header' | 'hunk' | 'added' | 'removed' | 'same';
  /** Whole, with its sign. */
  readonly text: string;
  /** Of which file, where the diff says; null before it does. */
  readonly path: string | null;
}

const signs: Readonly<Record<string, DiffLine['kind']>> = { '+': 'added', '-': 'removed', ' ': 'same', '': 'same', '\\': 'header' };

/** The lines of a unified diff, and what each is: `--- ` begins a file only where `+++ ` comes next, else it is a line that was taken out. */
export function diffLinesOf(diff: string): readonly DiffLine[] {
  const texts = diff.replace(/\n$/u, '').split('\n');
  let path: string | null = null;
  return texts.map((text, index): DiffLine => {
    if (text.startsWith('@@')) return { kind: 'hunk', text, path };
    if (isHeader(text, texts[index - 1], texts[index + 1])) {
      path = pathIn(text) ?? path;
      return { kind: 'header', text, path };
    }
    return { kind: signs[text.slice(0, 1)] ?? 'header', text, path };
  });
}

function isHeader(text: string, before = '', after = ''): boolean {
  if (text.startsWith('--- ')) return after.startsWith('+++ ');
  return text.startsWith('+++ ') && before.startsWith('--- ');
}

/** What a file is called in the header of its diff: without what git puts before it and what some put behind it. */
function pathIn(header: string): string | null {
  const name = header.slice(4).split('\t', 1)[0]?.trim() ?? '';
  return name === '' || name === '/dev/null' ? null : name.replace(/^[ab]\//u, '');
}
