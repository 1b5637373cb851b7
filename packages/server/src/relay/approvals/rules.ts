import {
  type ApprovalRule,
  DEFAULT_PAGE_SIZE,
  keptSentence,
  MAX_PAGE_SIZE,
  type PendingApproval,
  type Principal,
  principalName,
  RelayError,
  type RouteInput,
  type Session,
} from 'agent-relay-protocol';
import { watchedIn } from '../../domain/act-as.ts';
import { assertMayAnswer, maySeeApprovals } from '../../domain/approval.ts';
import { endOf, endRule, newRule, ruleAllows, ruledTagsOf, ruleKey, ruleResource } from '../../domain/approval-rule.ts';
import type { Directory } from '../../domain/directory.ts';
import type { Decision } from '../../domain/facts.ts';
import { recordWrite } from '../../domain/resource.ts';
import { assertMayActUpon } from '../../domain/scopes.ts';
import { allRecords } from '../../store/all-records.ts';
import { registered } from '../access/registered.ts';
import { listed } from '../contract/listed.ts';
import type { CallContext, HandlersOf } from '../contract/relay-contract.ts';
import type { RelayCore } from '../relay-core.ts';
import type { Reservations } from '../reservations/reservations.ts';
import type { Approvals } from './approvals.ts';

export interface ApprovalRulesDeps extends Pick<RelayCore, 'store' | 'clock' | 'log'> {
  readonly approvals: Pick<Approvals, 'allowByRule' | 'denyReserved' | 'reaches'>;
  /** Asked before any rule: what somebody has for themselves nobody allows beforehand. */
  readonly reservations: Pick<Reservations, 'keepingFrom'>;
}

/** What people have allowed beforehand: answers what agents ask, where a rule understands it whole, and tells each time that it did. */
export class ApprovalRules {
  readonly #deps: ApprovalRulesDeps;
  /** By what was asked: nothing is considered twice at once. */
  readonly #working = new Map<string, Promise<void>>();
  readonly #asking = new Set<Promise<void>>();
  /** Workspaces in which something could not be considered: all that is open there is asked again. */
  readonly #due = new Set<string>();
  #isClosed = false;
  readonly handlers: HandlersOf<'rules'>;

  constructor(deps: ApprovalRulesDeps) {
    this.#deps = deps;
    this.handlers = {
      'rules/list': (input, context) => this.#list(input, context),
      'rules/create': (input, { principal }) => this.#create(input, principal),
      'rules/revoke': ({ id }, { principal }) => this.#revoke(id, principal),
    };
  }

  /** What is open when a relay starts may never have been considered. */
  start(): void {
    for (const workspace of [...this.#deps.store.agents.index.workspaces()]) void this.askAgain(workspace);
  }

  /** Something was asked; resolves once the rules have been heard, whatever came of it. */
  asked(workspace: string, { agentId, sessionId }: Pick<Session, 'agentId' | 'sessionId'>, approvalId: string): Promise<void> {
    const { store, log } = this.#deps;
    const key = [workspace, sessionId, approvalId].join('\n');
    const before = this.#working.get(key);
    if (before) return before;
    const work = store.approvals
      .find(workspace, agentId, approvalId)
      .then((approval) =>
        approval?.status === 'pending' && approval.sessionId === sessionId ? this.#consider(workspace, approval) : undefined,
      )
      .catch((error: unknown) => {
        if (!isItsEnd(error)) this.#due.add(workspace);
        log.warn('a rule could not answer', { agentId, approvalId, error });
      })
      .finally(() => this.#working.delete(key));
    this.#working.set(key, work);
    return work;
  }

  /** The same of all that is open, or of what these sessions ask: whoever was to answer may have been gone. Never rejects. */
  askAgain(workspace: string, sessions?: ReadonlySet<string>): Promise<void> {
    const asking = this.#askAll(workspace, sessions)
      .catch((error: unknown) => {
        this.#due.add(workspace);
        this.#deps.log.warn('the rules could not be asked again', { error });
      })
      .finally(() => this.#asking.delete(asking));
    this.#asking.add(asking);
    return asking;
  }

  async #askAll(workspace: string, sessions: ReadonlySet<string> | undefined): Promise<void> {
    for (let before: number | undefined; !this.#isClosed; ) {
      const { items, next } = await this.#deps.store.approvals.list({ workspace, status: 'pending', before, limit: MAX_PAGE_SIZE });
      const meant = items.filter(({ sessionId }) => sessions?.has(sessionId) ?? true);
      await Promise.all(meant.map((approval) => this.asked(workspace, approval, approval.approvalId)));
      if (next === null) return;
      before = next;
    }
  }

  /** Ends what is over, and asks again where something went wrong. */
  async sweep(workspace: string): Promise<void> {
    const { store, clock } = this.#deps;
    if (this.#due.delete(workspace)) void this.askAgain(workspace);
    const rules = await allRecords(store, ruleResource, { workspace, under: ruleKey({ active: 'true' }) });
    const now = clock.now();
    for (const { id } of rules.filter((rule) => endOf(rule, now) !== null)) {
      await store.records.change<ApprovalRule, void>(ruleResource, workspace, id, (rule) => ending(rule, now));
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#asking, ...this.#working.values()]);
  }

  async #list({ agent, active, before, limit = DEFAULT_PAGE_SIZE }: RouteInput<'rules/list'>, { principal }: CallContext) {
    const { store } = this.#deps;
    const { workspace } = principal;
    const agents = store.agents.index.in(workspace);
    if (!maySeeApprovals(principal, agent === undefined ? null : watchedIn(agents, agent))) {
      if (agent !== undefined) registered(agents, agent);
      throw new RelayError('forbidden', 'Rules are for people and their programs with approvals:read; an agent sees those for itself');
    }
    if (agent !== undefined) registered(agents, agent);
    const state = active === undefined ? {} : { active: String(active) };
    return listed(await store.records.list(ruleResource, { workspace, under: ruleKey({ agent, ...state }), before, limit }));
  }

  async #create(input: RouteInput<'rules/create'>, principal: Principal): Promise<ApprovalRule> {
    const { store, clock } = this.#deps;
    const { workspace } = principal;
    const { agentId: agent, approvalId } = input;
    assertMayMake(principal, agent);
    const asked = approvalId === undefined ? null : await this.#question(workspace, agent, approvalId);
    const now = clock.now();
    const rule = await store.records.begin(workspace, ({ nextId: id, agents }) => {
      if (agent !== undefined) registered(agents, agent);
      const made = newRule(input, { id, by: principalName(principal), now, asked });
      return {
        answer: made,
        change: { at: now, events: [{ type: 'rule.created', at: now, rule: made }], records: [recordWrite(ruleResource, made)] },
      };
    });
    if (asked?.status === 'pending') await this.#consider(workspace, asked);
    return (await store.records.get(ruleResource, workspace, rule.id)) ?? rule;
  }

  async #question(workspace: string, agent: string | undefined, approvalId: string) {
    const issues = [{ path: 'agentId', message: 'is missing: whose question it is' }];
    if (agent === undefined) throw new RelayError('validation_failed', 'agentId: is missing: whose question it is', { issues });
    const asked = await this.#deps.store.approvals.find(workspace, agent, approvalId);
    if (asked === null) throw new RelayError('not_found', `${agent} has asked nothing of the id ${approvalId}`);
    return asked;
  }

  #revoke(id: number, principal: Principal): Promise<ApprovalRule> {
    const { store, clock } = this.#deps;
    const now = clock.now();
    return store.records.change<ApprovalRule, ApprovalRule>(ruleResource, principal.workspace, id, (rule) => {
      assertMayMake(principal, rule?.agentId ?? undefined);
      if (rule === null) throw new RelayError('not_found', `There is no rule ${id}`);
      if (rule.ended !== null) return { answer: rule, change: null };
      return ended(endRule(rule, 'revoked', principalName(principal), now), now);
    });
  }

  /** A use is counted before the answer goes, so that no more than were allowed ever do; it is told once the agent has it. */
  async #consider(workspace: string, approval: PendingApproval): Promise<void> {
    const { store, clock, approvals, reservations } = this.#deps;
    const { agentId, approvalId } = approval;
    // When its machine is back it is asked again.
    if (!(await approvals.reaches(workspace, approval))) return;
    const keeping = await reservations.keepingFrom(workspace, approval);
    if (keeping !== null) {
      const by = `reservation:${keeping.holder.id}`;
      await approvals.denyReserved(workspace, approval, { by, message: keptSentence(keeping) });
      return;
    }
    const now = clock.now();
    const tags = tagsIn(store.agents.index.in(workspace), agentId);
    for (const { id } of await this.#rulesFor(workspace, agentId, tags)) {
      const isTaken = await store.records.change<ApprovalRule, boolean>(ruleResource, workspace, id, (rule, { agents }) => {
        if (rule === null || !ruleAllows(rule, approval, tagsIn(agents, agentId), now)) return { answer: false, change: null };
        return { answer: true, change: { at: now, records: [recordWrite(ruleResource, { ...rule, uses: rule.uses + 1 })] } };
      });
      if (!isTaken) continue;
      const isHeld = async () => (await store.records.get(ruleResource, workspace, id))?.ended === null;
      if ((await approvals.allowByRule(workspace, approval, { by: `rule:${id}`, isHeld })) === null) continue;
      const at = clock.now();
      await store.records.change<ApprovalRule, void>(ruleResource, workspace, id, (rule) => {
        if (rule === null) return { answer: undefined, change: null };
        const used = { type: 'rule.used' as const, at, rule, agentId, approvalId };
        const { change } = ending(rule, at);
        return { answer: undefined, change: { at, ...change, events: [used, ...(change?.events ?? [])] } };
      });
      return;
    }
  }

  async #rulesFor(workspace: string, agent: string, tags: readonly string[]): Promise<readonly ApprovalRule[]> {
    const keys = [ruleKey({ agent, active: 'true' }), ...tags.map((tag) => ruleKey({ tag }))];
    return (await Promise.all(keys.map((under) => allRecords(this.#deps.store, ruleResource, { workspace, under })))).flat();
  }
}

/** The answer was not wanted any more, or its machine is away: when that is back, all that its agents ask is asked again. */
const isItsEnd = (error: unknown): boolean =>
  error instanceof RelayError && (error.code === 'already_resolved' || error.code === 'node_unavailable');

/** By which of its tags rules reach an agent. */
function tagsIn(agents: Directory, agentId: string): readonly string[] {
  const agent = agents.find(agentId)?.agent;
  return agent ? ruledTagsOf(agent) : [];
}

/** What ends a rule by itself, where it is over. */
function ending(rule: ApprovalRule | null, now: number): Decision<void> {
  const end = rule === null || rule.ended !== null ? null : endOf(rule, now);
  if (rule === null || end === null) return { answer: undefined, change: null };
  return { answer: undefined, change: ended(endRule(rule, end, 'relay', now), now).change };
}

const ended = (rule: ApprovalRule, at: number): Decision<ApprovalRule> => ({
  answer: rule,
  change: { at, events: [{ type: 'rule.ended', at, rule }], records: [recordWrite(ruleResource, rule)] },
});

/** As answers are: a rule is one, given beforehand. One for a tag reaches agents that nobody has named. */
function assertMayMake(principal: Principal, agent: string | undefined): void {
  assertMayAnswer(principal);
  if (agent !== undefined) assertMayActUpon(principal, agent);
  else if (!maySeeApprovals(principal, null) && principal.type === 'token' && principal.targets !== null)
    throw new RelayError('forbidden_target', 'This token reaches some agents only: make a rule for one of them');
}
