import type { AgentEvent, InboxItem, Principal, Session } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs } from '../../domain/act-as.ts';
import { moveCopy } from '../../domain/delivery-changes.ts';
import { agentOf } from '../../domain/scopes.ts';
import type { Store } from '../../store/store.ts';
import type { ToolMailDesk } from '../contract/relay-contract.ts';
import type { Inboxes } from './inboxes.ts';
import { settledOf } from './settled.ts';

export interface ToolMailDeps {
  readonly store: Pick<Store, 'agents' | 'deliveries'>;
  readonly clock: Clock;
  readonly inboxes: Pick<Inboxes, 'take' | 'giveBack' | 'supersede' | 'settle'>;
}

/**
 * Mail that an agent was given in the answer of a tool. That an answer was sent is no evidence that it arrived, so a piece is
 *
 * - *given* once an answer carries it: its receipt says dispatched, and nobody else gets it. It is left as
 * - *seen* or *answered*, when the agent names it (`relay_inbox` with `read`, `relay_reply`), or
 * - *seen*, when the agent's runtime repeats its nonce in the result of the tool, which activity tells for agents that a node hosts, or
 * - *waiting* again, when the turn ends and the runtime has not repeated it, when its session ends, or when a poll asks again unnamed.
 *
 * Only for hosted agents is anything remembered here, and for them until the end of their turn; the rest is the inbox's.
 */
export class ToolMail implements ToolMailDesk {
  readonly #deps: ToolMailDeps;
  /** By hosted agent: the nonce that each piece was given with. */
  readonly #given = new Map<string, Map<number, string>>();

  constructor(deps: ToolMailDeps) {
    this.#deps = deps;
  }

  async take(messageId: number, agentId: string, principal: Principal): Promise<InboxItem | null> {
    this.#actAs(principal, agentId);
    const { workspace } = principal;
    const item = await this.#deps.inboxes.take({ workspace, agentId, messageId, isOwn: agentOf(principal) === agentId });
    if (item) this.#note(workspace, agentId, [item]);
    return item;
  }

  note(principal: Principal, agentId: string, items: readonly InboxItem[]): void {
    this.#actAs(principal, agentId);
    this.#note(principal.workspace, agentId, items);
  }

  isHosted(principal: Principal, agentId: string): boolean {
    this.#actAs(principal, agentId);
    return this.#sessionOf(principal.workspace, agentId) !== null;
  }

  #note(workspace: string, agentId: string, items: readonly InboxItem[]): void {
    if (items.length === 0 || this.#sessionOf(workspace, agentId) === null) return;
    const key = keyOf(workspace, agentId);
    const given = this.#given.get(key) ?? new Map<number, string>();
    for (const { message, nonce } of items) given.set(message.id, nonce);
    this.#given.set(key, given);
  }

  /** Follows what a hosted agent does, in the order it did it. */
  async observe(workspace: string, { agentId, sessionId }: Pick<Session, 'agentId' | 'sessionId'>, events: readonly AgentEvent[]) {
    const key = keyOf(workspace, agentId);
    const given = this.#given.get(key);
    if (!given || this.#sessionOf(workspace, agentId) !== sessionId) return;
    const seen: number[] = [];
    let hasTurnEnded = false;
    for (const event of events) {
      if (event.type === 'tool.completed') seen.push(...repeatedIn(event.output ?? '', given));
      if (event.type === 'turn.completed' || event.type === 'turn.failed' || event.type === 'session.ended') hasTurnEnded = true;
    }
    for (const id of seen) given.delete(id);
    const lost = hasTurnEnded ? [...given.keys()] : [];
    if (given.size === 0 || hasTurnEnded) this.#given.delete(key);
    if (seen.length > 0) await this.#confirm(workspace, agentId, seen);
    if (lost.length > 0) this.#deps.inboxes.giveBack(workspace, agentId, lost);
  }

  #actAs(principal: Principal, agentId: string): void {
    actAs(this.#deps.store.agents.index.in(principal.workspace), principal, agentId);
  }

  #sessionOf(workspace: string, agentId: string): string | null {
    return this.#deps.store.agents.index.in(workspace).find(agentId)?.agent?.sessionId ?? null;
  }

  async #confirm(workspace: string, agentId: string, ids: readonly number[]): Promise<void> {
    const { store, clock, inboxes } = this.#deps;
    const now = clock.now();
    inboxes.supersede(workspace, agentId, ids);
    const moved = await store.deliveries.change(workspace, agentId, ids, ({ found }) =>
      moveCopy(found, { state: 'seen', evidence: 'echo' }, now),
    );
    inboxes.settle(workspace, agentId, settledOf(moved));
  }
}

function repeatedIn(output: string, given: ReadonlyMap<number, string>): number[] {
  return [...given].flatMap(([id, nonce]) => (output.includes(`[end msg:${id} `) && output.includes(nonce) ? [id] : []));
}

const keyOf = (workspace: string, agentId: string): string => `${workspace}\n${agentId}`;
