import { type AgentEvent, RelayError } from 'agent-relay-protocol';
import { modelText } from 'agent-relay-wire';
import type { HostRelay, SessionIdentity } from './host-relay.ts';
import { readOutboxFile } from './outbox-file.ts';
import { parseTextTriggers, type TextTrigger } from './text-triggers.ts';

export interface TriggerRunnerOptions {
  readonly session: SessionIdentity;
  readonly cwd: string;
  readonly relay: Pick<HostRelay, 'send' | 'spawn'>;
  /** Told of what failed: as a sentence for the agent and an event for people. */
  readonly onFailure: (notice: string, event: AgentEvent) => void;
}

/** Does what the triggers of an agent's answers ask for, one after the other in the order they were written. */
export class TriggerRunner {
  readonly #options: TriggerRunnerOptions;
  #chain: Promise<void> = Promise.resolve();
  #count = 0;

  constructor(options: TriggerRunnerOptions) {
    this.#options = options;
  }

  run(answer: string): void {
    for (const trigger of parseTextTriggers(answer)) {
      this.#count += 1;
      const key = `trigger:${this.#options.session.sessionId}:${this.#count}`;
      this.#chain = this.#chain.then(() => this.#runOne(trigger, key));
    }
  }

  /** Resolves when everything asked for so far is done. */
  settled(): Promise<void> {
    return this.#chain;
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
    const request = trigger.type === 'message' ? trigger : await readOutboxFile(cwd, trigger.name);
    if (request.type === 'spawn') {
      await relay.spawn(session, { name: request.name, provider: request.provider, task: request.task });
      return;
    }
    const { matched } = await relay.send(session, { to: request.target, body: request.body, idempotencyKey });
    if (matched === 0) throw new RelayError('not_found', `${request.target} reached no agent`);
  }
}
