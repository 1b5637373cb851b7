import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ActivityEntrySchema, type AgentEvent, CursorSchema, loosely, type Session, SessionSchema } from 'agent-relay-protocol';

/** One entry that the relay has not acknowledged yet. */
export interface BufferedEntry {
  readonly seq: number;
  readonly at: number;
  readonly event: AgentEvent;
}

/** Whose activity a file holds: enough to hand it over after a crash. */
export type ActivityOwner = Pick<Session, 'sessionId' | 'agentId' | 'instanceId' | 'epoch'>;

export interface ActivityBufferOptions {
  /** How much may wait for the relay, in bytes of disk. Default 16 MiB. */
  readonly limitBytes?: number;
  /** The file cannot be written; the entries are kept in memory only until it can be. Told each time that this begins. */
  readonly onFault?: (error: unknown) => void;
  /** What an earlier process left there cannot be read, or not all of it; it is put aside. */
  readonly onDamage?: (path: string) => void;
}

interface Line {
  readonly entry: BufferedEntry;
  readonly text: string;
  readonly sizeBytes: number;
}

const DEFAULT_LIMIT_BYTES = 16 << 20;
/** Room kept for what says that something was dropped, and for the end of the session. */
const RESERVE = 8 * 1024;
const TRIM_AT = 1 << 20;
const MOST_LEFT_OUT = 64;
const folderName = 'activity';
const neverDropped = new Set<AgentEvent['type']>(['session.ended', 'turn.completed', 'turn.failed', 'approval.resolved', 'input.accepted']);

/**
 * A session's activity until the relay has it: a file of JSON lines, its first line the owner. Sequences count from 1 without a gap. When the
 * relay stays away so long that the buffer is full, what comes next is dropped before it gets a number, and one entry says how much was.
 */
export class ActivityBuffer {
  readonly owner: ActivityOwner;
  readonly #path: string;
  readonly #limitBytes: number;
  readonly #onFault: (error: unknown) => void;
  #lines: Line[];
  #sizeBytes: number;
  #lastSeq: number;
  #dropped = 0;
  #acknowledgedBytes = 0;
  /** Null where it cannot be written, and once this is closed. */
  #file: number | null = null;
  #isClosed = false;
  #hasFault = false;
  /** After a fault the whole file is written anew, later each time: how many writes are left out before that, and were the last time. */
  #leftOut = 0;
  #pause = 0;
  /** Not in the file yet: what comes in one turn of the event loop is written at its end, in one write. */
  #unwritten: string[] = [];
  #writing: NodeJS.Immediate | null = null;

  private constructor(path: string, { owner, lastSeq, lines }: BufferFile, options: ActivityBufferOptions) {
    this.#path = path;
    this.owner = owner;
    this.#lines = lines;
    this.#sizeBytes = sizeOf(lines);
    this.#lastSeq = lastSeq;
    this.#limitBytes = options.limitBytes ?? DEFAULT_LIMIT_BYTES;
    this.#onFault = options.onFault ?? (() => {});
    this.#rewrite();
  }

  static create(stateDir: string, owner: ActivityOwner, options: ActivityBufferOptions = {}): ActivityBuffer {
    const folder = join(stateDir, folderName);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return new ActivityBuffer(join(folder, `${encodeURIComponent(owner.sessionId)}.ndjson`), { owner, lastSeq: 0, lines: [] }, options);
  }

  /** What an earlier process could not hand over any more, as far as it can be read. A last line that was cut short by its end is left out. */
  static recover(stateDir: string, options: ActivityBufferOptions = {}): ActivityBuffer[] {
    const folder = join(stateDir, folderName);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith('.ndjson'))
      .flatMap((name) => {
        const path = join(folder, name);
        const found = readBufferFile(path);
        if (found === null || found.isDamaged) putAside(path, options);
        return found === null ? [] : [new ActivityBuffer(path, found, options)];
      });
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** What the newest entry that waits says. */
  get lastEvent(): AgentEvent | null {
    return this.#lines.at(-1)?.entry.event ?? null;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  append(event: AgentEvent, at: number): void {
    const text = this.#encode(event, at);
    // What ends a turn, a question or the session is never dropped: whoever follows would wait for it for ever. Nor is the proof that mail was
    // read: after a crash it would be read again.
    if (this.#sizeBytes + Buffer.byteLength(text) > this.#limitBytes - RESERVE && !neverDropped.has(event.type)) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0) {
      const message = `${this.#dropped} entries were dropped because the relay was away too long`;
      this.#dropped = 0;
      const notice: AgentEvent = { type: 'agent.error', code: 'activity_dropped', message, willRetry: false };
      this.#push(this.#encode(notice, at), notice, at);
    }
    this.#push(this.#encode(event, at), event, at);
    if (event.type === 'input.accepted') this.#write();
  }

  /** The oldest entries that wait, at least one when there is one, at most `maxEntries` and about `maxLength` characters. */
  next(maxEntries: number, maxLength: number): readonly BufferedEntry[] {
    // What the relay has must never be missing here: after a crash its number would be given out again.
    this.#write();
    const batch: BufferedEntry[] = [];
    let length = 0;
    for (const { entry, text } of this.#lines) {
      if (batch.length >= maxEntries || (batch.length > 0 && length + text.length > maxLength)) break;
      batch.push(entry);
      length += text.length;
    }
    return batch;
  }

  /** The relay has everything up to this sequence. */
  acknowledge(seq: number): void {
    const kept = this.#lines.findIndex(({ entry }) => entry.seq > seq);
    const gone = this.#lines.splice(0, kept === -1 ? this.#lines.length : kept);
    const goneBytes = sizeOf(gone);
    this.#sizeBytes -= goneBytes;
    this.#acknowledgedBytes += goneBytes;
    if (this.#acknowledgedBytes >= TRIM_AT && this.#acknowledgedBytes >= this.#sizeBytes) this.#rewrite();
  }

  /** Keeps the file for the next process. Idempotent. */
  close(): void {
    // The last chance, however often it has failed.
    this.#leftOut = 0;
    this.#write();
    this.#isClosed = true;
    this.#closeFile();
  }

  /** Everything is with the relay, or nobody wants it. */
  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }

  #encode(event: AgentEvent, at: number): string {
    return `${JSON.stringify({ seq: this.#lastSeq + 1, at, event })}\n`;
  }

  #push(text: string, event: AgentEvent, at: number): void {
    this.#lastSeq += 1;
    const line = lineOf({ seq: this.#lastSeq, at, event }, text);
    this.#lines.push(line);
    this.#sizeBytes += line.sizeBytes;
    if (this.#isClosed) return;
    if (this.#file !== null) this.#unwritten.push(text);
    this.#writing ??= setImmediate(() => this.#write());
  }

  #write(): void {
    if (this.#writing !== null) clearImmediate(this.#writing);
    this.#writing = null;
    const text = this.#unwritten.join('');
    this.#unwritten = [];
    if (this.#isClosed) return;
    if (this.#file === null) this.#writeAgain();
    else if (text !== '') this.#add(this.#file, text);
  }

  /** Behind what is missing, or was written in part, nothing may stand: it would not be found. */
  #add(file: number, text: string): void {
    try {
      const bytes = Buffer.from(text);
      for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    } catch (error) {
      this.#closeFile();
      this.#fault(error);
    }
  }

  #writeAgain(): void {
    this.#leftOut -= 1;
    if (this.#leftOut <= 0) this.#rewrite();
  }

  /** The owner and what is not acknowledged, in a new file that replaces the old at once. */
  #rewrite(): void {
    if (this.#isClosed) return;
    const beside = `${this.#path}.new`;
    try {
      this.#unwritten = [];
      this.#closeFile();
      // The sequence goes on where it stood even when nothing waits.
      const { sessionId, agentId, instanceId, epoch } = this.owner;
      const afterSeq = (this.#lines[0]?.entry.seq ?? this.#lastSeq + 1) - 1;
      const head = JSON.stringify({ sessionId, agentId, instanceId, epoch, afterSeq });
      writeFileSync(beside, `${head}\n${this.#lines.map(({ text }) => text).join('')}`, { mode: 0o600 });
      renameSync(beside, this.#path);
      this.#file = openSync(this.#path, 'a');
      this.#acknowledgedBytes = 0;
      this.#hasFault = false;
      this.#pause = 0;
    } catch (error) {
      discard(beside);
      this.#fault(error);
    }
  }

  #closeFile(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }

  #fault(error: unknown): void {
    if (!this.#hasFault) this.#onFault(error);
    this.#hasFault = true;
    this.#pause = Math.min(MOST_LEFT_OUT, Math.max(1, this.#pause * 2));
    this.#leftOut = this.#pause;
  }
}

const lineOf = (entry: BufferedEntry, text: string): Line => ({ entry, text, sizeBytes: Buffer.byteLength(text) });
const sizeOf = (lines: readonly Line[]): number => lines.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

const HeadSchema = SessionSchema.pick({ sessionId: true, agentId: true, instanceId: true, epoch: true }).extend({ afterSeq: CursorSchema });
/** An earlier process may have been of a later version. */
const EntrySchema = loosely(ActivityEntrySchema.pick({ seq: true, at: true, event: true }));

interface BufferFile {
  readonly owner: ActivityOwner;
  readonly lastSeq: number;
  readonly lines: Line[];
  readonly isDamaged?: boolean;
}

/** Somebody may want to look at it. */
function putAside(path: string, { onDamage = () => {} }: ActivityBufferOptions): void {
  onDamage(path);
  try {
    renameSync(path, `${path}.damaged`);
  } catch {
    // Nothing can be changed there: it is told again.
  }
}

/** Null for what is none, and for what cannot be read. */
function readBufferFile(path: string): BufferFile | null {
  const [first = '', ...rest] = readText(path).split('\n');
  const head = HeadSchema.safeParse(parseJson(first));
  if (!head.success) return null;
  const { afterSeq, ...owner } = head.data;
  const lines: Line[] = [];
  let lastSeq = afterSeq;
  let isDamaged = false;
  for (const [index, text] of rest.entries()) {
    const entry = EntrySchema.safeParse(parseJson(text));
    if (!entry.success || entry.data.seq !== lastSeq + 1) {
      isDamaged = index < rest.length - 1;
      break;
    }
    lastSeq = entry.data.seq;
    lines.push(lineOf(entry.data, `${text}\n`));
  }
  return { owner, lastSeq, lines, isDamaged };
}

/** Half a file takes room where there is none. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next attempt tells of it.
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
