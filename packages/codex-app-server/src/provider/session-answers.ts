import type { ApprovalMode, SpawnMode } from 'agent-relay-protocol';
import { isMailRestricted, type SessionEvents } from 'agent-relay-provider';
import { RecentMap } from 'agent-relay-wire';
import type { CodexThread } from '../app-server/codex-thread.ts';
import type { ThreadItem } from '../app-server/items.ts';
import { type ServerRequest, turnIdOf } from '../app-server/server-requests.ts';
import { readApproval } from './answer-approval.ts';
import { type CodexApproval, offersYes, replyTo, turnGoesOn } from './approval-choices.ts';
import { type FileUpdate, readChanges } from './approval-schemas.ts';
import type { PromptLine } from './prompt-line.ts';
import { judgeRelayCall } from './relay-call.ts';
import { type ClientTools, readToolCall, toolAnswer, toolCallMethod } from './relay-tools.ts';
import { mayAsk } from './session-policy.ts';

/** What a session answers by. */
export interface AnswerRules {
  readonly cwd: string;
  readonly mode: SpawnMode;
  readonly approval: ApprovalMode;
  readonly ask: boolean;
  readonly relayServers: ReadonlySet<string>;
  /** What Codex asks the session to run. */
  readonly tools?: ClientTools | undefined;
}

export interface SessionAnswersOptions {
  readonly rules: AnswerRules;
  readonly events: SessionEvents;
  /** `undefined` until the session has begun. */
  readonly running: () => { readonly thread: CodexThread; readonly line: PromptLine } | undefined;
  /** Resolves when the session has read everything that it had been told. */
  readonly caughtUp: () => Promise<void>;
}

/** What one session answers to what Codex asks about its thread: by its rules, or with a person's word. */
export class SessionAnswers {
  readonly #options: SessionAnswersOptions;
  readonly #edits = new RecentMap<string, readonly FileUpdate[]>(256);

  constructor(options: SessionAnswersOptions) {
    this.#options = options;
  }

  /** A question about an edit names its item and not its changes. */
  note(item: ThreadItem | undefined): void {
    if (item?.known?.type === 'fileChange') this.#edits.set(item.id, readChanges(item.raw));
  }

  async answer(request: ServerRequest): Promise<object> {
    const { rules, running, caughtUp } = this.#options;
    // Requests overtake the notifications that say what they are about.
    await caughtUp();
    if (request.method === toolCallMethod) return this.#runTool(request);
    const changesOf = (itemId: string) => this.#edits.get(itemId) ?? [];
    const approval = askedIn(request, readApproval(request, { cwd: rules.cwd, changesOf }));
    const turnId = turnIdOf(request) ?? running()?.thread.activeTurnId;
    const relayCall = this.#judgeRelayCall(approval.call, turnId);
    if (relayCall !== null) {
      if (relayCall.remark === null) return approval.call?.allow ?? approval.deny;
      await this.#remark(request, relayCall.remark);
      return approval.deny;
    }
    const isMailTurn = turnId === undefined || running()?.line.mayBeMailTurn(turnId) !== false;
    if (!offersYes(approval.choices) || !mayAsk(approval.use, rules, isMailTurn)) return this.#declineByMode(request, approval);
    return this.#askPerson(approval, request);
  }

  async #askPerson({ question, use, choices, deny }: CodexApproval, request: ServerRequest): Promise<object> {
    const asked = { ...question, options: choices.map(({ option }) => option) };
    const verdict = await this.#options.events.approvals.ask(asked, request.signal);
    // Codex tells its model that a person said no, and has no place for why; to a question the answer says it.
    if (verdict.outcome === 'denied' && use.kind !== 'question' && turnGoesOn(choices, verdict))
      await this.#remark(request, `${question.title}: ${verdict.message}`);
    return replyTo(choices, deny, verdict);
  }

  /** A sub-agent's model is not reached by a word in the turn that started it. */
  async #remark({ startedBy }: ServerRequest, text: string): Promise<void> {
    if (startedBy === undefined) await this.#options.running()?.line.remark(text);
  }

  async #runTool(request: ServerRequest): Promise<object> {
    const { tools, mode, approval } = this.#options.rules;
    const call = readToolCall(request);
    const judged = isMailRestricted(mode, approval) ? this.#judgeRelayCall(call, turnIdOf(request)) : null;
    if (judged && judged.remark !== null) return toolAnswer(judged.remark, false);
    return (await tools?.call(call, request.signal)) ?? toolAnswer(`This session has no tool ${call.tool}.`, false);
  }

  #judgeRelayCall(call: Parameters<typeof judgeRelayCall>[0], turnId: string | undefined) {
    const { rules, running } = this.#options;
    const isMailTurn = turnId !== undefined && running()?.line.isMailTurn(turnId) === true;
    return judgeRelayCall(call, { relayServers: rules.relayServers, isMailTurn });
  }

  /** Told as a question without options: nobody is asked. */
  #declineByMode({ id }: ServerRequest, { question, deny }: CodexApproval): object {
    const { events } = this.#options;
    const approvalId = `codex-${id}`;
    events.emit({ ...question, type: 'approval.requested', approvalId, options: [] });
    events.emit({ type: 'approval.resolved', approvalId, outcome: 'denied', by: 'policy' });
    return deny;
  }
}

/** What a sub-agent asks is asked in the turn that started it: its own is none of the session's. */
function askedIn({ startedBy }: ServerRequest, approval: CodexApproval): CodexApproval {
  return startedBy === undefined ? approval : { ...approval, question: { ...approval.question, turnId: startedBy.turnId } };
}
