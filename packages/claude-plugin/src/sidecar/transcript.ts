import { existsSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from 'agent-relay-wire';
import { z } from 'zod';

/** Of a long conversation only its end is looked at, in bytes. */
const LOOKED_AT = 16 << 20;

const Line = z.looseObject({
  type: z.string(),
  operation: z.string().optional().catch(undefined),
  content: z.unknown().optional(),
  isSidechain: z.boolean().optional(),
  message: z.looseObject({ id: z.string().optional(), model: z.string().optional() }).optional().catch(undefined),
});
type Line = z.infer<typeof Line>;

/**
 * What Claude Code's own file of a conversation says of a message: that its model has answered since it came in, that it is there, that it waits in Claude
 * Code's queue, or nothing. `unwritten` where there is no such file, `unknown` where it cannot be read.
 */
export type Trace = 'answered' | 'entered' | 'queued' | 'absent' | 'unwritten' | 'unknown';

/** Of two conversations the one that says more. */
const byWeight: readonly Trace[] = ['answered', 'entered', 'queued', 'unknown', 'absent', 'unwritten'];

export const strongestOf = (traces: readonly Trace[]): Trace => byWeight.find((trace) => traces.includes(trace)) ?? 'unwritten';

/** By which a message is known in what the model is given; where only its number is known, by that. */
export const markOf = ({ messageId, nonce }: { readonly messageId: number; readonly nonce: string | null }): string =>
  nonce === null ? `[end msg:${messageId} ` : `${nonce}]`;

/** A trace for each mark. The file is read once. */
export async function lookInTranscript(transcript: string | null, marks: readonly string[]): Promise<readonly Trace[]> {
  const read = transcript === null || marks.length === 0 ? ({ type: 'unwritten' } as const) : await endOf(transcript);
  return read.type === 'text' ? tracesIn(read.text, marks) : marks.map(() => read.type);
}

function tracesIn(text: string, marks: readonly string[]): readonly Trace[] {
  const conversation = new Conversation(marks);
  for (const raw of text.split('\n')) {
    if (!raw.includes('[end msg:') && !raw.includes('"assistant"') && !raw.includes('"queue-operation"')) continue;
    const line = Line.safeParse(parsed(raw)).data;
    if (line !== undefined && line.isSidechain !== true) conversation.take(line, raw);
  }
  return marks.map((mark) => conversation.traceOf(mark));
}

class Conversation {
  readonly #queue = new Queue();
  readonly #there = new Map<string, 'entered' | 'answered'>();
  readonly #marks: readonly string[];
  #spoken: string | undefined;

  constructor(marks: readonly string[]) {
    this.#marks = marks;
  }

  take(line: Line, raw: string): void {
    if (line.type === 'queue-operation') this.#queue.take(line);
    if (line.type === 'user' || line.type === 'attachment') this.#enter(raw);
    if (line.type === 'assistant' && line.message?.model !== '<synthetic>') this.#speak(line.message?.id);
  }

  traceOf(mark: string): Trace {
    return this.#there.get(mark) ?? (this.#queue.has(mark) ? 'queued' : 'absent');
  }

  #enter(raw: string): void {
    for (const mark of this.#marks) if (!this.#there.has(mark) && raw.includes(mark)) this.#there.set(mark, 'entered');
  }

  /** One answer is written piece by piece, with what its tools said in between. */
  #speak(id: string | undefined): void {
    if (id !== this.#spoken) for (const mark of this.#there.keys()) this.#there.set(mark, 'answered');
    this.#spoken = id;
  }
}

/** Claude Code's queue as it is written down. What leaves it is not always named: then it is what came first. */
class Queue {
  #waiting: string[] = [];

  take({ operation, content }: Line): void {
    const text = content === undefined ? '' : JSON.stringify(content);
    if (operation === 'enqueue') this.#waiting.push(text);
    else if (operation === 'dequeue' || (operation === 'remove' && text === '')) this.#waiting.shift();
    else if (operation === 'remove') this.#waiting = this.#waiting.filter((each) => each !== text);
    else this.#waiting = [];
  }

  has(mark: string): boolean {
    return this.#waiting.some((each) => each.includes(mark));
  }
}

/** Where Claude Code keeps a conversation; null where it has written nothing of it. */
export function findTranscript(conversation: string, projects: string): string | null {
  if (!/^[\w-]+$/u.test(conversation)) return null;
  try {
    const paths = readdirSync(projects).map((project) => join(projects, project, `${conversation}.jsonl`));
    return paths.find((path) => existsSync(path)) ?? null;
  } catch {
    return null;
  }
}

async function endOf(path: string): Promise<{ readonly type: 'text'; readonly text: string } | { readonly type: 'unwritten' | 'unknown' }> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const length = Math.min(size, LOOKED_AT);
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, size - length);
    return { type: 'text', text: bytes.toString('utf8') };
  } catch (error) {
    return { type: error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'unwritten' : 'unknown' };
  }
}

function parsed(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}
