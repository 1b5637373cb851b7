import { randomUUID } from 'node:crypto';
import { ClaudeFrameSchema, ClaudeTranslator } from 'agent-relay-claude';
import type { LiveEvent, PromptInput } from 'agent-relay-provider';
import { UnseenPrompts } from 'agent-relay-provider/kit';
import { parseJson } from 'agent-relay-wire';
import { endOfRun, type RunEnd, type TurnOutput } from './turn-output.ts';

/**
 * The frames that Claude Code says, of a program that is run once a turn. Its prompt is on the command line, so that it has entered the conversation when
 * the program runs; nothing repeats our id of it, so that the only evidence is the turn itself.
 */
export class ClaudeOutput implements TurnOutput {
  readonly #translator: ClaudeTranslator;
  readonly #unseen = new UnseenPrompts('turn');
  #hasEnded = true;

  constructor(cwd: string) {
    this.#translator = new ClaudeTranslator({ relayServers: [], cwd });
  }

  get sessionId(): string | null {
    return this.#translator.sessionId;
  }

  get model(): string | null {
    return this.#translator.model;
  }

  begin({ text, messageIds, isMail }: PromptInput): readonly LiveEvent[] {
    const uuid = randomUUID();
    this.#hasEnded = false;
    this.#unseen.entered(messageIds);
    this.#translator.sent({ uuid, text, messageIds: [], isContext: false, ...(isMail === undefined ? {} : { isMail }) });
    const begun = this.#translator.translate({ type: 'command_lifecycle', command_uuid: uuid, state: 'started' });
    return begun.map((event) =>
      event.type === 'user.message' && messageIds.length > 0 ? { ...event, messageIds: [...messageIds] } : event,
    );
  }

  line(text: string): readonly LiveEvent[] {
    const frame = ClaudeFrameSchema.safeParse(jsonIn(text));
    if (!frame.success) return [{ type: 'output.line', stream: 'stdout', text }];
    const { type } = frame.data;
    // Programs that say these frames differ in what else they say, and in whether their own input comes back.
    const seen = type === 'assistant' || type === 'stream_event' ? this.#unseen.modelSpoke() : [];
    const events = this.#translator.translate(frame.data);
    if (events.some((event) => event.type === 'turn.completed' || event.type === 'turn.failed')) this.#hasEnded = true;
    return [...seen, ...events];
  }

  end(end: RunEnd): readonly LiveEvent[] {
    const { turnId } = this.#translator;
    this.#unseen.forget(null);
    if (this.#hasEnded || turnId === null) return [];
    this.#hasEnded = true;
    // For the translator it is over; how is told here.
    const idle = this.#translator.stopped(turnId);
    // A run that ends well without a result has not said how its turn ended: it was cut off.
    const cut = end.code === 0 && !end.wasStopped ? { ...end, code: null, detail: `${end.detail} without a result` } : end;
    return idle.length === 0 ? [] : endOfRun(turnId, cut);
  }
}

/** Undefined for a line that is none. */
function jsonIn(line: string): unknown {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}
