import type { Approval, ApprovalOption, FormAnswers, FormField } from 'agent-relay-protocol';
import type { PlayedAct } from './difference.ts';
import { readBack } from './reading.ts';
import type { Stage } from './stage.ts';

/** No longer title, and no longer word with an answer, is taken. */
const LONGEST_TITLE = 500;
const LONGEST_WORD = { answer: 2_000, withdrawal: 500 } as const;

/** Asks what agents of a run asked people, as agents that no machine runs, and answers as was answered. */
export class ApprovalPlayer {
  readonly #stage: Stage;
  /** Rules and reservations that are played, as they stand in `by`. */
  readonly #answerers: ReadonlySet<string>;
  readonly #asked: Approval[] = [];

  constructor(stage: Stage, answerers: ReadonlySet<string>) {
    this.#stage = stage;
    this.#answerers = answerers;
  }

  get count(): number {
    return this.#asked.length;
  }

  async ask(approval: Approval): Promise<void> {
    const { agentId: id, approvalId, kind, title, cwd, input, options, form, isEditable, requestedAt } = approval;
    await this.#stage.reach(requestedAt);
    await this.#stage.arrive(requestedAt, id);
    const question = {
      ...{ id, approvalId, kind, title: clipped(title, LONGEST_TITLE) },
      ...(cwd === undefined ? {} : { cwd }),
      ...(input === undefined ? {} : { input }),
      ...(options === undefined ? {} : { options }),
      ...(form === undefined ? {} : { form }),
      ...(isEditable === undefined ? {} : { isEditable }),
    };
    const asked = await this.#attempt(approval, 'ask', () => this.#stage.relay.approvals.ask(question, this.#stage.call));
    if (!asked) return;
    this.#asked.push(approval);
    this.#stage.holds(id);
  }

  async answer(approval: Approval): Promise<void> {
    if (approval.status === 'pending' || !this.#asked.includes(approval)) return;
    await this.#stage.reach(approval.resolvedAt);
    // What the relay answered by itself it answers again, or that is a difference.
    if (this.#answerers.has(approval.by)) return this.#stage.letsGo(approval.agentId);
    const { agentId: id, approvalId, status, optionId, updatedInput } = approval;
    const { relay, call } = this.#stage;
    const word = (longest: number) => (approval.message ? { message: clipped(approval.message, longest) } : {});
    const question = { id, approvalId };
    if (status === 'allowed' || status === 'denied') {
      const isAllowed = status === 'allowed';
      const option = optionId ?? (isAllowed ? onlyOptionOf(approval.options) : undefined);
      const answer = {
        ...{ ...question, outcome: isAllowed ? ('allow' as const) : ('deny' as const), ...word(LONGEST_WORD.answer) },
        ...(option === undefined ? {} : { optionId: option }),
        ...(isAllowed && approval.form ? { answers: answersTo(approval.form, approval.answers ?? {}) } : {}),
        ...(isAllowed && updatedInput !== undefined ? { updatedInput } : {}),
      };
      await this.#attempt(approval, 'answer', () => relay.approvals.resolve(answer, call));
    } else {
      await this.#attempt(approval, 'answer', () => relay.approvals.withdraw({ ...question, ...word(LONGEST_WORD.withdrawal) }, call));
    }
    this.#stage.letsGo(id);
  }

  async compare(): Promise<void> {
    const { relay, call, differences } = this.#stage;
    for (const agent of new Set(this.#asked.map(({ agentId }) => agentId))) {
      const asked = await readBack((from) => relay.approvals.list({ ...from, agent }, call));
      // An id that a later session used again is not the recorded one's.
      const replayed = new Map(asked.toReversed().map(({ approvalId, status }) => [approvalId, status]));
      for (const { agentId, approvalId, status: recorded } of this.#asked) {
        const now = replayed.get(approvalId) ?? null;
        if (agentId === agent && now !== recorded) differences.push({ type: 'approval', approvalId, agentId, recorded, replayed: now });
      }
    }
  }

  #attempt<Answer>({ agentId, approvalId: subject }: Approval, act: PlayedAct, run: () => Promise<Answer>): Promise<Answer | null> {
    return this.#stage.attempt(run, (code, reason) => ({ type: 'act_refused', act, agentId, subject, code, reason }));
  }
}

/** Cuts no character in two. */
const clipped = (text: string, length: number): string => [...text].slice(0, length).join('');

/** Where a question cannot be allowed just once, the yes that it has. */
function onlyOptionOf(options: readonly ApprovalOption[] | undefined): string | undefined {
  if (options === undefined || options.some(({ outcome }) => outcome === 'allow')) return undefined;
  return options.find(({ outcome }) => outcome === 'allow_session' || outcome === 'allow_always')?.id;
}

/** What is secret was kept nowhere: something else stands for it. */
function answersTo(form: readonly FormField[], kept: FormAnswers): FormAnswers {
  const standIns = form.flatMap(({ id, isSecret, choices, format }) =>
    isSecret && !Object.hasOwn(kept, id) ? [{ [id]: [choices[0]?.value ?? (format === undefined ? 'not kept' : '0')] }] : [],
  );
  return Object.assign({}, kept, ...standIns);
}
