import { randomUUID } from 'node:crypto';
import { RelayError } from 'agent-relay-client';
import type { Approval, AskApproval } from 'agent-relay-protocol';
import { isRetryable, type Log } from 'agent-relay-wire';
import { type QuestionWords, questionWords } from './question-words.ts';
import type { RelaySide } from './relay-side.ts';
import type { GatedUse } from './tool-gate.ts';

export interface ApprovalQuestionsOptions {
  readonly relay: Pick<RelaySide, 'link' | 'state' | 'settled'>;
  readonly log: Log;
}

export interface ToolQuestion extends GatedUse {
  readonly cwd: string;
}

export interface EndedUse extends GatedUse {
  /** Empty where Claude Code does not say. */
  readonly toolUseId: string;
  readonly isOfSubagent?: boolean;
}

export type PersonsAnswer =
  | { readonly outcome: 'deny'; readonly message: string }
  /** What runs after the yes. */
  | { readonly outcome: 'allow'; readonly message: string; readonly input: GatedUse['input'] };

interface Open {
  readonly approvalId: string;
  /** Null of a dialog that only the terminal has. */
  readonly use: string | null;
  readonly settled: AbortController;
}

type Ended = Exclude<Approval, { status: 'pending' }>;

const WAIT_MS = 25_000;
/** Where nobody sits at the session nobody else can answer: longer than this it does not wait. */
const UNATTENDED_MS = 600_000;
const LONGEST_INPUT = 60_000;
const LONGEST_TITLE = 500;
/** Nothing that is said here reaches the dialog. */
const onlyThere: NonNullable<AskApproval['options']> = [{ id: 'seen', label: 'I answer it at the terminal', outcome: 'deny' }];

/**
 * What the session asks, put to people through the relay. The dialog at the terminal is open all the while: what is answered there is withdrawn
 * here, and what is answered here closes it.
 */
export class ApprovalQuestions {
  readonly #options: ApprovalQuestionsOptions;
  readonly #open = new Set<Open>();
  /** Uses of tools that the turn itself has begun, but for those of a Claude Code that does not number them. */
  readonly #inHand = new Set<string>();

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
      const words = questionWords(question);
      const ended = await this.#wait({ approvalId: open.approvalId, ...asked(question, words) }, waiting);
      return ended && answerOf(ended, words);
    } finally {
      this.#open.delete(open);
    }
  }

  /**
   * Something at the terminal waits for a person, and can be answered there alone: people are told so where they look for questions, until the session goes on.
   * What is asked here already they know. Resolves when nobody has to be told any more.
   */
  async tellOfDialog(message: string): Promise<void> {
    if (this.#open.size > 0) return;
    const open: Open = { approvalId: `claude-${randomUUID()}`, use: null, settled: new AbortController() };
    this.#open.add(open);
    const title = `At the terminal: ${message === '' ? 'the session needs an answer' : message}`.slice(0, LONGEST_TITLE);
    try {
      await this.#wait({ approvalId: open.approvalId, kind: 'other', title, options: [...onlyThere] }, open.settled.signal);
    } finally {
      this.#open.delete(open);
    }
  }

  /** The turn uses a tool. */
  begun(toolUseId: string): void {
    if (toolUseId !== '') this.#inHand.add(toolUseId);
  }

  /** A tool ran: whoever asked for it has the answer. Of dialogs none is open once nothing that the turn began is in hand; subagents say nothing of them. */
  ended({ toolUseId, isOfSubagent = false, ...use }: EndedUse): void {
    this.#inHand.delete(toolUseId);
    const isGoingOn = !isOfSubagent && this.#inHand.size === 0;
    const key = keyOf(use);
    for (const open of this.#open) if (open.use === null ? isGoingOn : open.use === key) open.settled.abort();
  }

  /** The turn is over, or another has begun: nothing of it waits for an answer. */
  settleAll(): void {
    this.#inHand.clear();
    for (const open of this.#open) open.settled.abort();
  }

  async #wait(first: AskApproval, waiting: AbortSignal): Promise<Ended | null> {
    const { relay, log } = this.#options;
    let question = first;
    let isAsked = false;
    while (!waiting.aborted && relay.link !== null) {
      const { calls, agent } = relay.link;
      const guard = { id: agent.id, instanceId: agent.instanceId, epoch: agent.epoch };
      try {
        const approval = await calls.approvals.ask({ ...guard, ...question, waitMs: isAsked ? WAIT_MS : 0 }, { signal: waiting });
        isAsked = true;
        if (approval.status === 'cancelled') return null;
        if (approval.status !== 'pending') return approval;
      } catch (error) {
        if (waiting.aborted) break;
        if (question === first && error instanceof RelayError && error.code === 'validation_failed') {
          question = plain(first);
          continue;
        }
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

function answerOf({ status, by, message, answers, updatedInput }: Ended, { inputAfter }: QuestionWords): PersonsAnswer {
  const input = status === 'allowed' ? inputAfter({ answers, updatedInput }) : null;
  if (input !== null) return { outcome: 'allow', message: message ?? '', input };
  if (status === 'allowed') return { outcome: 'deny', message: `${by} answered without what this takes, so it was not run.` };
  return { outcome: 'deny', message: message === null ? `${by} denied this through the relay.` : `${by} denied this: ${message}` };
}

/** As a relay of an earlier version takes it: a yes or a no. */
const plain = ({ options: _options, form: _form, isEditable: _isEditable, ...question }: AskApproval): AskApproval => question;

const keyOf = ({ name, input }: GatedUse): string => JSON.stringify([name, input]);

function asked({ input, cwd }: ToolQuestion, { words }: QuestionWords): Omit<AskApproval, 'approvalId'> {
  const text = JSON.stringify(input);
  return {
    ...words,
    ...(cwd === '' ? {} : { cwd: cwd.slice(0, 4096) }),
    // A form says what it asks itself.
    ...(words.form ? {} : { input: text.length <= LONGEST_INPUT ? JSON.parse(text) : `${text.slice(0, LONGEST_INPUT)}…` }),
  };
}
