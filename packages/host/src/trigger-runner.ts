import { type AgentEvent, RelayError } from 'agent-relay-protocol';
import { modelText, Serial } from 'agent-relay-wire';
import type { HostRelay, SessionIdentity } from './host-relay.ts';
import { readOutboxFile } from './outbox-file.ts';
import { parseTextTriggers, type TextTrigger } from './text-triggers.ts';

export interface TriggerRunnerOptions {
  readonly session: SessionIdentity;
  /** Null where it works on another machine: its files are not here. */
  readonly cwd: string | null;
  readonly relay: Pick<HostRelay, 'send' | 'spawn'>;
  /** Told of what failed: as a sentence for the agent and an event for people. */
  readonly onFailure: (notice: string, event: AgentEvent) => void;
}

/** More than that in one turn is a loop or somebody else's text, not mail. */
export const MAX_TRIGGERS_A_TURN = 20;

/** Does what the triggers of an agent's answers ask for, one after the other in the order they were written. */
export class TriggerRunner {
  readonly #options: TriggerRunnerOptions;
  readonly #inOrder = new Serial();
  #count = 0;
  #askedInTurn = 0;

  constructor(options: TriggerRunnerOptions) {
    this.#options = options;
  }

  /** What a turn may ask for begins anew. */
  turnStarted(): void {
    this.#askedInTurn = 0;
  }

  run(answer: string): void {
    const asked = parseTextTriggers(answer);
    const room = Math.max(0, MAX_TRIGGERS_A_TURN - this.#askedInTurn);
    this.#askedInTurn += asked.length;
    const [tooMany] = asked.slice(room);
    if (tooMany) this.#refuse(asked.length - room, tooMany);
    for (const trigger of asked.slice(0, room)) {
      this.#count += 1;
      const key = `trigger:${this.#options.session.sessionId}:${this.#count}`;
      void this.#inOrder.run(() => this.#runOne(trigger, key));
    }
  }

  #refuse(count: number, { line }: TextTrigger): void {
    const message = `${count} of your messages and files, from line ${line} of an answer on, were not sent: a turn sends ${MAX_TRIGGERS_A_TURN} at most`;
    this.#options.onFailure(`[agent-relay] ${message}`, { type: 'agent.error', code: 'trigger_limit', message, willRetry: false });
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#inOrder.settled();
  }

  async #runOne(trigger: TextTrigger, key: string): Promise<void> {
    const what =
      trigger.type === 'message' ? `->relay:${trigger.target}` : trigger.type === 'file' ? `->relay-file:${trigger.name}` : 'trigger';
    try {
      if (trigger.type === 'invalid') throw new RelayError('validation_failed', trigger.reason);
      await this.#perform(trigger, key);
    } catch (error) {
      const reason = error instanceof RelayError ? error.message : 'it failed inside the host';
      const message = `Your ${what.slice(0, 200)} on line ${trigger.line} was not done: ${reason}`.slice(0, 1000);
      this.#options.onFailure(modelText`[agent-relay] ${message}`.text, {
        type: 'agent.error',
        code: 'trigger_failed',
        message,
        willRetry: false,
      });
    }
  }

  async #perform(trigger: Exclude<TextTrigger, { type: 'invalid' }>, idempotencyKey: string): Promise<void> {
    const { session, cwd, relay } = this.#options;
    const request = trigger.type === 'message' ? trigger : await this.#read(cwd, trigger.name);
    if (request.type === 'spawn') {
      await relay.spawn(session, { name: request.name, provider: request.provider, task: request.task });
      return;
    }
    const { matched } = await relay.send(session, { to: request.target, body: request.body, idempotencyKey });
    if (matched === 0) throw new RelayError('not_found', `${request.target} reached no agent`);
  }

  /** What an agent elsewhere says of its folder leads to no file of this machine. */
  #read(cwd: string | null, name: string): ReturnType<typeof readOutboxFile> {
    if (cwd !== null) return readOutboxFile(cwd, name);
    throw new RelayError('unsupported', 'files are sent from the machine that runs the agent, and yours is another: write the message out');
  }
}
