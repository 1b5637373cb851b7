import { printable, spelledOut } from 'agent-relay-wire';

/** How this program was started: what starts it again. */
export interface OwnProgram {
  /** Flags of Node. */
  readonly flags: readonly string[];
  /** The command's own file, with every link resolved: links of version managers come and go. */
  readonly path: string;
}

/** What a command may know and do of the world. */
export interface Terminal {
  /** Default: as this process was started. */
  readonly program?: OwnProgram | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborts with Ctrl-C. */
  readonly signal: AbortSignal;
  out(line: string): void;
  /** For what is no answer: faults and hints, on standard error. */
  note(line: string): void;
  /** Somebody reads along what is noted: it goes to a terminal. Default: nobody. */
  readonly hasReader?: boolean;
  /** Answers the line that a person types; `null` where nobody sits. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

export { printable } from 'agent-relay-wire';

/**
 * The terminal, obeying nothing: whatever a command prints of what others wrote, named or tagged is shown as it is. A command prints through this
 * and nothing else.
 */
export function onlyShowing({ ask, ...terminal }: Terminal): Terminal {
  return {
    ...terminal,
    out: (line) => terminal.out(spelledOut(line)),
    note: (line) => terminal.note(spelledOut(line)),
    ask: ask && ((question) => ask(spelledOut(question))),
  };
}

/** Somebody's lines below a heading of ours, none of which can pass for another heading. */
export const indented = (text: string): string => printable(text).replaceAll('\n', '\n    ');

/** On one line, and cut when it is long. */
export function oneLine(text: string, limit = 200): string {
  const line = printable(text).replace(/\s+/gu, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

/** Columns as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** A day and a time as a clock here shows them; what is listed by it is in order as text, too. */
export const dayAndTime = (at: number): string => `${new Date(at).toLocaleDateString('sv-SE')} ${clockTime(at)}`;

export const clockTime = (at: number): string => new Date(at).toTimeString().slice(0, 8);
