import { type AgentEvent, messageOf, RelayError, type SpawnMode } from 'agent-relay-protocol';
import type { AgentSession } from 'agent-relay-provider';
import { Bell, type Log, Pump, Serial, settlesWithin } from 'agent-relay-wire';
import type { FileChangeFrame, RunFrame } from '../agent-ws/messages.ts';
import { RunFrames } from '../agent-ws/run-frames.ts';
import { instructionsOf } from './instructions.ts';
import { Journal } from './journal.ts';
import type { KeptConversations } from './kept-conversations.ts';
import { readContent } from './project-folder.ts';
import { Run, type RunRequest, type SessionSettings } from './run.ts';
import type { SessionSource } from './session-source.ts';
import type { SharedRoom } from './shared-room.ts';

export interface WarmConversationOptions {
  readonly id: string;
  readonly provider: string;
  readonly projectId: string | null;
  readonly cwd: string;
  readonly mode: SpawnMode;
  readonly source: SessionSource;
  readonly kept: KeptConversations;
  readonly log: Log;
  /** The end of the one before it in the same place. */
  readonly after: Promise<void>;
  /** What it keeps for clients shares this with the others. */
  readonly room: SharedRoom;
}

/** How long a stopped turn may take to end before its agent is ended with everything it runs. */
const stopGraceMs = 5_000;

/** What stands in the journal. */
export interface JournalFrame {
  /** A `RunFrame` as JSON: made once, whoever reads it, and as long as what it holds. */
  readonly text: string;
  /** The key of the prompt that it answers, where it does: the prompt itself may be large. */
  readonly run: symbol | null;
  /** Whether nothing of that prompt follows. */
  readonly isEnd: boolean;
}

interface Live {
  readonly session: AgentSession;
  readonly settings: SessionSettings;
  /** Resolves when its events have ended. */
  readonly gone: Promise<void>;
  /** Aborts when it is given up: its events wait for no reader any more. */
  readonly dropped: AbortController;
  /** The prompt that it was given last. */
  run: Run | null;
  openTurnId: string | null;
  /** A prompt is with the runtime whose turn has not begun. */
  awaitsTurn: boolean;
  isGone: boolean;
}

/**
 * A conversation with one agent in one folder, on a process that lives on between prompts. Prompts go one at a time, in order, whoever sends them;
 * what comes of them stands in the journal.
 *
 * States: *cold*, no process; *warm*, one that waits; *busy*; *closed*. A process that ends makes it cold: the next prompt starts another, which goes
 * on with what was said where the vendor can.
 */
export class WarmConversation {
  readonly options: WarmConversationOptions;
  readonly journal: Journal<JournalFrame>;
  readonly #frames: RunFrames;
  readonly #waiting: Run[] = [];
  readonly #pump: Pump;
  readonly #turnEnds = new Bell();
  #current: Run | null = null;
  #live: Live | null = null;
  #stopping: Promise<void> = Promise.resolve();
  readonly #readying = new Serial();
  #vendorSessionId: string | undefined;
  #isClosed = false;
  readonly #closing = new AbortController();

  constructor(options: WarmConversationOptions) {
    this.options = options;
    this.journal = new Journal({ room: options.room });
    this.#frames = new RunFrames(options);
    this.#pump = new Pump(
      () => this.#work(),
      (error) => options.log.error('a prompt broke', { error }),
    );
  }

  get isBusy(): boolean {
    return this.#current !== null || this.#waiting.length > 0;
  }

  /** How many prompts go before the next one. */
  get waiting(): number {
    return this.#waiting.length + (this.#current === null ? 0 : 1);
  }

  /** Takes a prompt; it ends with one `complete` or `error` in the journal. */
  submit(request: RunRequest): Run {
    const run = new Run(request);
    this.#waiting.push(run);
    this.#pump.wake();
    return run;
  }

  /** Ends a prompt at once, for the client; what runs for it is stopped behind that, and nothing else begins before it has. */
  cancel(run: Run): void {
    this.#finish(run, 'Request cancelled');
  }

  /** As `cancel`, of every prompt, or of those with this id. */
  cancelAll(requestId: string | undefined): void {
    for (const run of [...this.#waiting, ...(this.#current ? [this.#current] : [])])
      if (requestId === undefined || run.request.requestId === requestId) this.cancel(run);
  }

  /** Starts the process that the next prompt will need. */
  warm(settings: SessionSettings): void {
    if (this.isBusy || this.#isClosed) return;
    void this.#ready(settings, this.#closing.signal).catch((error: unknown) =>
      this.options.log.debug('no session could be started ahead', { error }),
    );
  }

  /** Ends the process with everything it runs, and every prompt. Idempotent. */
  async close(message = 'Request cancelled'): Promise<void> {
    this.#isClosed = true;
    for (const run of [...this.#waiting, ...(this.#current ? [this.#current] : [])]) this.#finish(run, message);
    this.#closing.abort(new RelayError('connection_closed', message));
    await this.#pump.close();
    await this.#readying.settled();
    await this.#stopping;
    if (this.#live) await this.#drop(this.#live);
    this.#frames.end();
    this.journal.leave();
  }

  async #work(): Promise<void> {
    for (let run = this.#waiting.shift(); run !== undefined; run = this.#waiting.shift()) {
      if (run.isOver) continue;
      this.#current = run;
      const timer = setTimeout(() => this.#finish(run, 'Process timed out'), run.request.timeoutMs);
      try {
        await this.#perform(run);
      } catch (error) {
        // What is over already was given up.
        if (!(error instanceof RelayError) && !run.isOver) this.options.log.error('a prompt failed', { error });
        this.#say(run, this.#frames.failed(messageOf(error), run.request.requestId));
      } finally {
        clearTimeout(timer);
        this.#current = null;
      }
    }
  }

  async #perform(run: Run): Promise<void> {
    const { text, images, settings, requestId } = run.request;
    this.#push({ type: 'prompted', requestId, content: text }, null);
    const live = await this.#ready(settings, AbortSignal.any([run.signal, this.#closing.signal]));
    if (run.isOver) return;
    live.awaitsTurn = true;
    live.run = run;
    const taken = live.session.prompt({ text, messageIds: [], isMail: false, ...(images.length > 0 && { images }) }, { mode: 'next' });
    // A prompt that was cancelled on its way may be answered late, or never.
    await Promise.race([taken, run.over, live.gone]);
    taken.catch(() => {});
    await Promise.race([run.over, live.gone]);
    if (!run.isOver) this.#say(run, this.#frames.ended({}, requestId));
  }

  /** A process with these settings on which nothing runs; one is made ready at a time. */
  #ready(settings: SessionSettings, signal: AbortSignal): Promise<Live> {
    return this.#readying.run(() => this.#makeReady(settings, signal));
  }

  async #makeReady(settings: SessionSettings, signal: AbortSignal): Promise<Live> {
    await this.options.after;
    await this.#stopping;
    signal.throwIfAborted();
    const live = this.#live;
    if (live && !live.isGone && isSame(live.settings, settings)) return live;
    if (live) await this.#drop(live);
    return this.#start(settings, signal);
  }

  async #start(settings: SessionSettings, signal: AbortSignal): Promise<Live> {
    const { provider, cwd, projectId, mode, source, kept } = this.options;
    const resume = this.#vendorSessionId ?? (projectId === null ? undefined : await kept.find(projectId, provider));
    const request = {
      ...{ provider, cwd, projectId, mode, signal },
      model: settings.model,
      instructions: instructionsOf(mode, settings.systemPrompt),
      ...(settings.thinkingTokens === undefined ? {} : { env: { MAX_THINKING_TOKENS: String(Math.floor(settings.thinkingTokens)) } }),
    };
    const session = await source.start({ ...request, resume }).catch((error: unknown) => {
      if (resume === undefined || signal.aborted) throw error;
      this.options.log.warn('the earlier conversation cannot go on, another begins', { provider, error });
      return source.start(request);
    });
    const unread = { session, settings, run: null, openTurnId: null, awaitsTurn: false, isGone: false, gone: Promise.resolve() };
    const live: Live = { ...unread, dropped: new AbortController() };
    this.#live = live;
    return Object.assign(live, { gone: this.#read(live) });
  }

  async #read(live: Live): Promise<void> {
    try {
      for await (const event of live.session.events) {
        this.#observe(event, live);
        await this.#tell(event, live);
      }
    } catch (error) {
      this.options.log.error('the events of a session broke', { error });
    } finally {
      live.isGone = true;
      live.openTurnId = null;
      this.#turnEnds.ring();
      // Also of one that ended by itself nothing goes on.
      await this.#end(live);
      if (this.#live === live) this.#live = null;
    }
  }

  /** Which turn runs, and whose it is: the first that begins after a prompt was handed over, unless it turns out to be of somebody's mail. */
  #observe(event: AgentEvent, live: Live): void {
    const { run } = live;
    switch (event.type) {
      case 'turn.started':
        live.openTurnId = event.turnId;
        if (run && live.awaitsTurn && event.cause === undefined) {
          run.turnId = event.turnId;
          live.awaitsTurn = false;
        }
        return;
      case 'user.message':
        if (
          run &&
          event.turnId !== undefined &&
          event.turnId === run.turnId &&
          event.messageIds?.length &&
          event.text !== run.request.text
        ) {
          run.turnId = null;
          live.awaitsTurn = true;
        }
        return;
      case 'turn.completed':
      case 'turn.failed':
        if (live.openTurnId === event.turnId) live.openTurnId = null;
        this.#turnEnds.ring();
    }
  }

  async #tell(event: AgentEvent, live: Live): Promise<void> {
    const { run } = live;
    const turnId = 'turnId' in event ? event.turnId : (live.openTurnId ?? undefined);
    if (event.type === 'session.ended') {
      if (run && !run.isOver) this.#say(run, this.#frames.ended(event, run.request.requestId));
      return;
    }
    if (turnId === undefined) return;
    const isRuns = run !== null && run.turnId === turnId;
    if (isRuns && run.isOver) {
      this.#frames.frames(event, run.request.requestId);
      return;
    }
    // What nobody here asked for is shown to who looks on: a relay's mail, a turn that the agent began by itself.
    const requestId = isRuns ? run.request.requestId : `turn:${turnId}`;
    if (!isRuns && event.type === 'user.message') this.#push({ type: 'prompted', requestId, content: event.text }, null);
    for (const frame of this.#frames.frames(event, requestId)) {
      const wholes = frame.type === 'file_change' ? await this.#withContent(frame) : [frame];
      for (const whole of wholes) this.#say(isRuns ? run : null, whole);
    }
    if (!this.journal.hasRoom) await this.journal.room(live.dropped.signal);
    if (isRuns && (event.type === 'turn.completed' || event.type === 'turn.failed')) {
      run.end();
      await this.#keepConversation(live);
    }
  }

  async #withContent(frame: FileChangeFrame): Promise<readonly RunFrame[]> {
    if (frame.changeType === 'delete') return [frame];
    const content = await readContent(this.options.cwd, frame.path);
    if (content === undefined) return [frame];
    // Clients know an edit by two: that it was made, and what came of it.
    return frame.changeType === 'create' ? [{ ...frame, content }] : [frame, { ...frame, content }];
  }

  /** Says something of a prompt that is not over, or of none; the end of one is said once. */
  #say(run: Run | null, frame: RunFrame): void {
    if (run?.isOver) return;
    this.#push(frame, run);
    if (isEnd(frame)) run?.end();
  }

  #push(frame: RunFrame, run: Run | null): void {
    const text = JSON.stringify(frame);
    this.journal.push({ text, run: run?.key ?? null, isEnd: isEnd(frame) }, text.length);
  }

  #finish(run: Run, message: string): void {
    if (run.isOver) return;
    this.#say(run, this.#frames.failed(message, run.request.requestId));
    const at = this.#waiting.indexOf(run);
    if (at >= 0) this.#waiting.splice(at, 1);
    const live = this.#live;
    if (run === this.#current && live && !live.isGone && (live.awaitsTurn || live.openTurnId !== null)) this.#stopping = this.#stop(live);
  }

  /** Resolves when nothing of the stopped prompt runs any more. */
  async #stop(live: Live): Promise<void> {
    try {
      const isStopped = await settlesWithin(live.session.interrupt(), stopGraceMs);
      // A prompt whose turn had not begun may begin it still: only an end that was seen is one.
      const until = performance.now() + (live.awaitsTurn ? 1_000 : stopGraceMs);
      while (isStopped && !live.isGone && (live.openTurnId !== null || live.awaitsTurn) && performance.now() < until)
        await settlesWithin(this.#turnEnds.next(), 50);
      if (live.openTurnId !== null || live.awaitsTurn || !isStopped) await this.#drop(live);
    } catch (error) {
      this.options.log.warn('a turn could not be stopped, its agent is ended', { error });
      await this.#drop(live);
    }
  }

  async #drop(live: Live): Promise<void> {
    if (this.#live === live) this.#live = null;
    live.dropped.abort();
    await this.#end(live);
    await live.gone;
  }

  async #end({ session }: Live): Promise<void> {
    await session.close().catch((error: unknown) => this.options.log.error('an agent could not be ended', { error }));
  }

  async #keepConversation({ session: { vendorSessionId } }: Live): Promise<void> {
    if (vendorSessionId === null) return;
    this.#vendorSessionId = vendorSessionId;
    const { projectId, provider, kept, log } = this.options;
    if (projectId === null) return;
    await kept
      .keep(projectId, provider, vendorSessionId)
      .catch((error: unknown) => log.warn('the conversation of a project could not be written down', { error }));
  }
}

const isEnd = ({ type }: RunFrame): boolean => type === 'complete' || type === 'error';

const isSame = (a: SessionSettings, b: SessionSettings): boolean =>
  a.model === b.model && a.systemPrompt === b.systemPrompt && a.thinkingTokens === b.thinkingTokens;
