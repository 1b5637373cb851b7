import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import {
  type AgentSession,
  type PromptInput,
  type Provider,
  type ProviderAvailability,
  SessionEvents,
  type StartOptions,
} from 'agent-relay-provider';
import { sleep } from 'agent-relay-wire';
import type { LedgerLine } from './history.ts';

/** Long enough that mail waits behind it now and then. */
const TURN_MS = 15;

/** Agents that only write down what they are told, in a file that outlives their node: one line a turn, before anything is told of it. */
export class ClerkProvider implements Provider {
  readonly id = 'clerk';
  readonly #ledger: string;
  readonly #sessions = new Set<ClerkSession>();

  constructor(ledger: string) {
    this.#ledger = ledger;
  }

  async detect(): Promise<ProviderAvailability> {
    return { available: true, version: '1.0.0', command: process.execPath };
  }

  async start(options: StartOptions): Promise<AgentSession> {
    const session = new ClerkSession(this.#ledger, options);
    this.#sessions.add(session);
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) await session.close();
  }
}

class ClerkSession implements AgentSession {
  readonly vendorSessionId = crypto.randomUUID();
  readonly model = null;
  readonly events: SessionEvents;
  readonly #ledger: string;
  readonly #agent: string;
  #turns = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(ledger: string, { cwd, approvalTimeoutMs }: StartOptions) {
    this.#ledger = ledger;
    this.#agent = basename(cwd);
    this.events = new SessionEvents({ cwd, approvalTimeoutMs });
    this.events.emit({ type: 'session.started', vendorSessionId: this.vendorSessionId, cwd, version: '1.0.0' });
    this.events.emit({ type: 'session.status', status: 'idle' });
  }

  async prompt(input: PromptInput): Promise<void> {
    if (this.events.isEnded) throw new RelayError('connection_closed', 'The clerk has gone');
    this.#last = this.#last.then(() => this.#turn(input));
  }

  async interrupt(): Promise<boolean> {
    return false;
  }

  async close(): Promise<void> {
    this.events.end({ reason: 'closed' });
  }

  async #turn({ text, messageIds }: PromptInput): Promise<void> {
    this.#turns += 1;
    const turnId = `turn-${this.#turns}`;
    const line: LedgerLine = { agent: this.#agent, session: this.vendorSessionId, messageIds };
    appendFileSync(this.#ledger, `${JSON.stringify(line)}\n`);
    this.events.emit({ type: 'turn.started', turnId });
    this.events.emit({ type: 'session.status', status: 'busy' });
    this.events.emit({ type: 'user.message', turnId, text, messageIds: [...messageIds] });
    for (const messageId of messageIds) this.events.emit({ type: 'input.accepted', messageId, evidence: 'turn', state: 'seen' });
    await sleep(TURN_MS);
    this.events.emit({ type: 'turn.completed', turnId, outcome: 'finished' });
    this.events.emit({ type: 'session.status', status: 'idle' });
    await this.events.room();
  }
}
