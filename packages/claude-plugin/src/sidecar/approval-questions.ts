import { randomUUID } from 'node:crypto';
import { RelayError } from 'agent-relay-client';
import type { AskApproval, ToolKind } from 'agent-relay-protocol';
import { isRetryable, type Log, printable } from 'agent-relay-wire';
import type { RelaySide } from './relay-side.ts';
import type { GatedUse } from './tool-gate.ts';

export interface ApprovalQuestionsOptions {
  readonly relay: Pick<RelaySide, 'link' | 'state' | 'settled'>;
  readonly log: Log;
}

export interface ToolQuestion extends GatedUse {
  readonly cwd: string;
}

export interface PersonsAnswer {
  readonly outcome: 'allow' | 'deny';
  readonly message: string;
}

interface Open {
  readonly approvalId: string;
  readonly use: string;
  readonly settled: AbortController;
}

const WAIT_MS = 25_000;
/** Where nobody sits at the session nobody else can answer: longer than this it does not wait. */
const UNATTENDED_MS = 600_000;
const LONGEST_INPUT = 60_000;

/**
 * What the session asks, put to people through the relay. The dialog at the terminal is open all the while: what is answered there is withdrawn
 * here, and what is answered here closes it.
 */
export class ApprovalQuestions {
  readonly #options: ApprovalQuestionsOptions;
  readonly #open = new Set<Open>();

  constructor(options: ApprovalQuestionsOptions) {
    this.#options = options;
  }

  /** Null when the relay has no answer: it was answered at the terminal, or the relay is away. The signal aborts when nobody waits any more. */
  async ask(
    question: ToolQuestion,
    { isUnattended, signal }: { readonly isUnattended: boolean; readonly signal: AbortSignal },
  ): Promise<PersonsAnswer | null> {
    const open: Open = { approvalId: `claude-${randomUUID()}`, use: keyOf(question), settled: new AbortController() };
    this.#open.add(open);
    const patience = isUnattended ? [AbortSignal.timeout(UNATTENDED_MS)] : [];
    const waiting = AbortSignal.any([signal, open.settled.signal, ...patience]);
    try {
      return await this.#wait({ approvalId: open.approvalId, ...asked(question) }, waiting);
    } finally {
      this.#open.delete(open);
    }
  }

  /** A tool ran: whoever asked for it has the answer. */
  settledBySession(use: GatedUse): void {
    const key = keyOf(use);
    for (const open of this.#open) if (open.use === key) open.settled.abort();
  }

  /** The turn is over, or another has begun: nothing of it waits for an answer. */
  settleAll(): void {
    for (const open of this.#open) open.settled.abort();
  }

  async #wait(question: AskApproval, waiting: AbortSignal): Promise<PersonsAnswer | null> {
    const { relay, log } = this.#options;
    let isAsked = false;
    while (!waiting.aborted && relay.link !== null) {
      const { calls, agent } = relay.link;
      const guard = { id: agent.id, instanceId: agent.instanceId, epoch: agent.epoch };
      try {
        const approval = await calls.approvals.ask({ ...guard, ...question, waitMs: isAsked ? WAIT_MS : 0 }, { signal: waiting });
        isAsked = true;
        if (approval.status === 'cancelled') return null;
        if (approval.status !== 'pending') return answerOf(approval.status, approval.by, approval.message);
      } catch (error) {
        if (waiting.aborted) break;
        if (!isRetryable(error)) {
          log.warn('a question was not taken by the relay', { code: error instanceof RelayError ? error.code : 'internal' });
          return null;
        }
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
    if (isAsked) await this.#withdraw(question.approvalId);
    return null;
  }

  async #withdraw(approvalId: string): Promise<void> {
    const { link } = this.#options.relay;
    const { calls, agent } = link ?? {};
    if (!calls || !agent) return;
    const message = 'Answered at the terminal of the session, or its turn is over';
    // Where it does not arrive, the question ends with the agent's presence.
    await calls.approvals.withdraw({ id: agent.id, approvalId, message }).catch(() => {});
  }
}

function answerOf(status: 'allowed' | 'denied', by: string, message: string | null): PersonsAnswer {
  if (status === 'allowed') return { outcome: 'allow', message: message ?? '' };
  return { outcome: 'deny', message: message === null ? `${by} denied this through the relay.` : `${by} denied this: ${message}` };
}

const keyOf = ({ name, input }: GatedUse): string => JSON.stringify([name, input]);

function asked({ name, input, cwd }: ToolQuestion): Omit<AskApproval, 'approvalId'> {
  const text = JSON.stringify(input);
  return {
    kind: kinds[name] ?? 'other',
    title: titleOf(name, input),
    ...(cwd === '' ? {} : { cwd: cwd.slice(0, 4096) }),
    input: text.length <= LONGEST_INPUT ? JSON.parse(text) : `${text.slice(0, LONGEST_INPUT)}…`,
  };
}

const kinds: Readonly<Record<string, ToolKind>> = {
  Bash: 'execute',
  Edit: 'edit',
  MultiEdit: 'edit',
  Write: 'edit',
  NotebookEdit: 'edit',
  Read: 'read',
  Grep: 'search',
  Glob: 'search',
  WebFetch: 'fetch',
  WebSearch: 'fetch',
};

function titleOf(name: string, input: GatedUse['input']): string {
  const what = input['command'] ?? input['file_path'] ?? input['url'] ?? input['notebook_path'] ?? input['pattern'];
  const words = typeof what === 'string' ? `${name}: ${what}` : name;
  return printable(words.replace(/\s+/gu, ' ')).slice(0, 500);
}
