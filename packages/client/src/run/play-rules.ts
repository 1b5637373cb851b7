import type { Approval, ApprovalRule } from 'agent-relay-protocol';
import type { PlayedAct } from './difference.ts';
import type { Stage } from './stage.ts';

/** Gives the agents of a run the standing rules that they had, and takes them away when those had ended. The relay itself answers by them. */
export class RulePlayer {
  readonly #stage: Stage;
  /** What was asked, for a rule that is made from a question answers it. */
  readonly #asked: readonly Approval[];
  readonly #rules = new Map<number, number>();

  constructor(stage: Stage, asked: readonly Approval[]) {
    this.#stage = stage;
    this.#asked = asked;
  }

  get count(): number {
    return this.#rules.size;
  }

  async give(rule: ApprovalRule): Promise<void> {
    const { id, agentId: agent, tag, name, kind, command, folder, maxUses, createdAt } = rule;
    await this.#stage.reach(createdAt);
    await this.#stage.arrive(createdAt, agent ?? undefined);
    const { relay, call } = this.#stage;
    const approvalId = this.#madeFrom(rule)?.approvalId;
    const made = await this.#attempt(rule, 'allow', () =>
      relay.rules.create(
        {
          ...{ name, folder, kind: kind === 'edit' ? ('edit' as const) : ('execute' as const) },
          ...(agent === null ? {} : { agentId: agent }),
          ...(tag === null ? {} : { tag }),
          ...(command === null ? {} : { command: [...command] }),
          ...(maxUses === null ? {} : { maxUses }),
          ...(approvalId === undefined ? {} : { approvalId }),
        },
        call,
      ),
    );
    if (made) this.#rules.set(id, made.id);
  }

  async takeAway(rule: ApprovalRule): Promise<void> {
    const id = this.#rules.get(rule.id);
    const endedAt = ruleOverAt(rule);
    if (id === undefined || endedAt === null) return;
    await this.#stage.reach(endedAt);
    const { relay, call } = this.#stage;
    await this.#attempt(rule, 'revoke', () => relay.rules.revoke({ id }, call));
  }

  /** The question that it was made from, which it answered then. */
  #madeFrom({ id, agentId: agent, createdAt }: ApprovalRule): Approval | undefined {
    return this.#asked.find(
      (asked) => asked.agentId === agent && asked.status !== 'pending' && asked.by === `rule:${id}` && asked.requestedAt < createdAt,
    );
  }

  #attempt<Answer>({ name, agentId: agent, tag }: ApprovalRule, act: PlayedAct, run: () => Promise<Answer>): Promise<Answer | null> {
    const agentId = agent ?? `tag:${tag}`;
    return this.#stage.attempt(run, (code, reason) => ({ type: 'act_refused', act, agentId, subject: name, code, reason }));
  }
}

/** When it allowed nothing any more: one that was over may have been ended later. Null while it holds, and where it ends by being used up. */
export function ruleOverAt({ ended, endedAt, expiresAt }: ApprovalRule): number | null {
  if (endedAt === null || ended === 'used_up') return null;
  return Math.min(endedAt, expiresAt ?? endedAt);
}
