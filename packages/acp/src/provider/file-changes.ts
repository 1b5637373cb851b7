import type { LiveEvent } from 'agent-relay-provider';
import type { ToolContent, ToolReport } from '../acp/frames.ts';
import { outcomeIn } from './tool-words.ts';

type FileChange = Extract<LiveEvent, { type: 'file.changed' }>['changes'][number];

const longestDiff = 64 * 1024;

/** The files that a use which went well has changed: by the diffs that it showed, or by its places where an edit showed none. */
export function fileChanges(report: Pick<ToolReport, 'content' | 'kind' | 'locations' | 'rawOutput'>): FileChange[] {
  const shown = shownChanges(report.content ?? []);
  if (shown.length > 0 || (report.kind !== 'edit' && report.kind !== 'delete')) return shown;
  const edited = outcomeIn(report.rawOutput).exists === false ? 'added' : 'updated';
  const paths = new Set(report.locations.flatMap(({ path }) => (path === '' ? [] : [path])));
  return [...paths].map((path) => ({ path, change: report.kind === 'delete' ? 'deleted' : edited }));
}

function shownChanges(content: readonly ToolContent[]): FileChange[] {
  return content.flatMap((part): FileChange[] => {
    const { type, path, oldText, newText, _meta: meta } = part;
    if (type !== 'diff' || path === undefined || path === '') return [];
    const change = meta?.kind === 'delete' ? 'deleted' : oldText ? 'updated' : 'added';
    const diff = newText === undefined ? '' : lineDiff(oldText ?? '', newText);
    return [{ path, change, ...(diff === '' || diff.length > longestDiff ? {} : { diff }) }];
  });
}

/** The change as one hunk: the lines between what both texts begin and end with. Empty when they are the same. */
export function lineDiff(before: string, after: string): string {
  if (before === after) return '';
  const [old, now] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const removed = old.slice(head, old.length - tail);
  const added = now.slice(head, now.length - tail);
  const place = (count: number) => `${count === 0 ? head : head + 1},${count}`;
  const lines = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)];
  return `@@ -${place(removed.length)} +${place(added.length)} @@\n${lines.join('\n')}\n`;
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/u, '').split('\n'));
