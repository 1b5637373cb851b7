import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import { type AgentSession, type PromptInput, SessionEvents, type StartOptions } from 'agent-relay-provider';
import { ownedProcess } from 'agent-relay-provider/kit';
import { decodeNdjson } from 'agent-relay-wire';
import { type ChildHandle, howItEnded, lastWords, spawnProcess } from 'agent-relay-wire/node';
import { execArguments } from './exec-arguments.ts';
import { ExecTranslator } from './exec-translator.ts';

interface Held {
  readonly input: PromptInput;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One conversation with a Codex that has no app-server: a process for each turn, which goes on with the same thread. */
export class CodexExecSession implements AgentSession {
  readonly events: SessionEvents;
  readonly model: string | null;
  readonly #command: string;
  readonly #options: StartOptions;
  readonly #held: Held[] = [];
  #threadId: string | null;
  #isRunning = false;
  #isStopped = false;
  #child: ChildHandle | null = null;
  #preamble: string;
  #closing: Promise<void> | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(command: string, options: StartOptions) {
    this.#command = command;
    this.#options = options;
    this.#threadId = options.resume ?? null;
    this.model = options.model ?? null;
    // There is no other place for standing instructions that every version knows.
    this.#preamble = options.instructions === '' ? '' : `${options.instructions}\n\n---\n\n`;
    this.events = new SessionEvents({ cwd: options.cwd, whenUnread: options.whenUnread });
    this.events.emit({ type: 'session.started', vendorSessionId: this.#threadId ?? '', cwd: options.cwd, runtime: 'codex exec' });
    this.events.emit({ type: 'session.status', status: 'idle' });
  }

  get vendorSessionId(): string | null {
    return this.#threadId;
  }

  async prompt(input: PromptInput): Promise<void> {
    this.#assertOpen();
    await new Promise<void>((resolve, reject) => {
      this.#held.push({ input, resolve, reject });
      this.#startHeld();
    });
  }

  async interrupt(): Promise<boolean> {
    this.#assertOpen();
    if (!this.#isRunning) return false;
    this.#isStopped = true;
    await this.#child?.kill({ graceMs: 1_000 });
    await this.#turn;
    return true;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const { reject } of this.#held.splice(0)) reject(closedError());
    this.#isStopped = true;
    await this.#child?.kill({ graceMs: 1_000 });
    await this.#turn;
    this.events.end({ reason: 'closed' });
  }

  #startHeld(): void {
    const next = this.#isRunning || this.#closing ? undefined : this.#held.shift();
    if (!next) return;
    this.#isRunning = true;
    this.#isStopped = false;
    this.#turn = this.#run(next).finally(() => {
      this.#isRunning = false;
      this.#child = null;
      this.#startHeld();
    });
  }

  async #run({ input, resolve, reject }: Held): Promise<void> {
    const turnId = randomUUID();
    const images = await writeImages(input);
    try {
      const { cwd, env, mode, model, onProcess } = this.#options;
      const args = execArguments({ mode, model, threadId: this.#threadId, imagePaths: images.paths });
      const child = await spawnProcess({ command: this.#command, args, cwd, env });
      this.#child = child;
      onProcess(ownedProcess(child, { purpose: 'codex exec' }));
      child.stdin.end(`${this.#preamble}${input.text}`);
      this.#preamble = '';
      this.events.emit({ type: 'turn.started', turnId });
      this.events.emit({ type: 'session.status', status: 'busy' });
      this.events.emit({ type: 'user.message', turnId, text: input.text });
      resolve();
      await this.#follow(child, turnId);
    } catch (error) {
      reject(error);
    } finally {
      await images.remove();
    }
  }

  async #follow(child: ChildHandle, turnId: string): Promise<void> {
    const translator = new ExecTranslator(turnId);
    if (this.#isStopped) void child.kill({ graceMs: 1_000 });
    let failure: string | null = null;
    let isEnded = false;
    for await (const item of decodeNdjson(child.stdout, { maxLineBytes: 32 << 20 })) {
      if ('malformed' in item) continue;
      const { events, threadId, end } = translator.translate(item.message);
      if (threadId !== undefined) this.#threadId = threadId;
      for (const event of events) this.events.emit(event);
      if (end === 'completed') isEnded = true;
      else if (end) failure = end.failure;
      await this.events.room();
    }
    const exit = await child.exited;
    // What it left running goes with its turn.
    await child.kill({ graceMs: 1_000 });
    const words = lastWords(child);
    const said = translator.lastError ?? `Codex ${howItEnded(exit)}${words === '' ? '' : `: ${words}`}`;
    if (this.#isStopped) this.events.emit({ type: 'turn.completed', turnId, outcome: 'interrupted' });
    else if (isEnded && failure === null) this.events.emit({ type: 'turn.completed', turnId, outcome: 'finished' });
    else this.events.emit({ type: 'turn.failed', turnId, error: { code: 'agent_error', message: failure ?? said, retryable: true } });
    this.events.emit({ type: 'session.status', status: 'idle' });
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }
}

const closedError = (): RelayError => new RelayError('connection_closed', 'The Codex session has ended');

async function writeImages({
  images = [],
}: PromptInput): Promise<{ readonly paths: readonly string[]; readonly remove: () => Promise<void> }> {
  if (images.length === 0) return { paths: [], remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'agent-bridge-images-'));
  const paths = images.map(({ mediaType }, index) => join(folder, `${index + 1}.${mediaType.split('/')[1]}`));
  await Promise.all(images.map(({ data }, index) => writeFile(paths[index] ?? '', Buffer.from(data, 'base64'), { mode: 0o600 })));
  return { paths, remove: () => rm(folder, { recursive: true, force: true }) };
}
