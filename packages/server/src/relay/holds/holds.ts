import {
  DEFAULT_PAGE_SIZE,
  type Hold,
  MAX_PAGE_SIZE,
  type Principal,
  principalName,
  RelayError,
  type SentMessage,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { assertPerson } from '../../domain/acting.ts';
import type { NewEvent, NewMessage } from '../../domain/change.ts';
import type { Directory } from '../../domain/directory.ts';
import { decisionNotice, releasedMessage } from '../../domain/hold-changes.ts';
import { answerOf, countRecipients } from '../../domain/plan-message.ts';
import { assertMayActUpon, assertMayAddress } from '../../domain/scopes.ts';
import { keptCounts, keptPage } from '../../store/kept-page.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { listed } from '../contract/listed.ts';
import type { HandlersOf } from '../contract/relay-contract.ts';
import type { LoopGuard } from '../guard/loop-guard.ts';
import type { Inboxes } from '../mail/inboxes.ts';
import type { Messages } from '../mail/messages.ts';

export interface HoldsDeps {
  readonly store: Pick<Store, 'holds'>;
  readonly clock: Clock;
  readonly guard: LoopGuard;
  readonly messages: Messages;
  readonly inboxes: Inboxes;
  readonly readers: Readers;
}

const BATCH = 100;

/** Messages that the loop guard keeps until a person decides. */
export class Holds {
  readonly #deps: HoldsDeps;
  readonly handlers: HandlersOf<'holds'>;

  constructor(deps: HoldsDeps) {
    this.#deps = deps;
    this.handlers = {
      'holds/list': async ({ limit = DEFAULT_PAGE_SIZE, ...query }, { principal }) => {
        const { workspace } = principal;
        const page = await keptPage({
          from: query.before ?? Number.MAX_SAFE_INTEGER,
          limit,
          read: (before) => deps.store.holds.list({ ...query, workspace, caller: principalName(principal), before, limit }),
          positionOf: ({ id }) => id,
          keep: deps.readers.of(principal).mayReadHold,
        });
        return listed(page);
      },
      'holds/count': async (query, { principal }) => {
        const { workspace } = principal;
        const { mayReadHold, readsAll } = deps.readers.of(principal);
        if (readsAll) return deps.store.holds.count({ ...query, workspace });
        const asked = { ...query, workspace, caller: principalName(principal), limit: MAX_PAGE_SIZE };
        return keptCounts({
          read: (before) => deps.store.holds.list({ ...asked, before }),
          keep: mayReadHold,
          none: { held: 0, released: 0, refused: 0 },
        });
      },
      'holds/get': async ({ id }, { principal }) => {
        const hold = found(await deps.store.holds.get(principal.workspace, id), id);
        return found(deps.readers.of(principal).mayReadHold(hold) ? hold : null, id);
      },
      'holds/release': ({ id }, { principal }) => this.#release(id, principal),
      'holds/refuse': async ({ id, because = null }, { principal }) => {
        assertPerson(principal, 'refuse a held message');
        const decision = { decidedBy: principalName(principal), because };
        return this.#refuse(principal.workspace, id, decision, (hold, agents) => this.#assertMayDecide(principal, hold, agents));
      },
    };
  }

  /** Nobody has decided for so long that nobody will: what was held before `before` is refused, what was decided before it forgotten. */
  async prune(before: number): Promise<void> {
    const { holds } = this.#deps.store;
    for (let open = await holds.openBefore(before, BATCH); open.length > 0; open = await holds.openBefore(before, BATCH)) {
      for (const { workspace, id } of open) await this.#refuseForgotten(workspace, id);
    }
    while ((await holds.prune(before, BATCH)) === BATCH);
  }

  async #refuseForgotten(workspace: string, id: number): Promise<void> {
    try {
      await this.#refuse(workspace, id, { decidedBy: 'relay', because: 'nobody decided in time' });
    } catch (error) {
      // Somebody decided just now.
      if (!(error instanceof RelayError && error.code === 'already_resolved')) throw error;
    }
  }

  async #release(id: number, principal: Principal): Promise<SentMessage> {
    assertPerson(principal, 'release a held message');
    const { store, clock, guard, messages, inboxes } = this.#deps;
    const { workspace } = principal;
    const decidedAt = clock.now();
    const { sent } = await store.holds.release(workspace, id, (facts) => {
      const open = stillHeld(facts.hold, id, (hold) => this.#assertMayDecide(principal, hold, facts.agents));
      const draft = releasedMessage(open, decidedAt);
      const hold: Hold = { ...open, status: 'released', decidedAt, decidedBy: principalName(principal), messageId: facts.nextId };
      const { repliedTo, copy, key } = facts;
      const receipt = repliedTo && copy ? answerOf(repliedTo.message, copy, draft.from, decidedAt) : null;
      // A repeated send under the key of the held one is answered with what it became.
      const message: NewMessage = { draft, matched: countRecipients(facts, draft), ...(key ? { key } : {}) };
      guard.forgive(workspace, open.message);
      return {
        answer: hold,
        change: {
          at: decidedAt,
          sent: [message],
          events: [{ type: 'message.released', at: decidedAt, hold }],
          holds: [{ hold, attempt: null }],
          deliveries: receipt ? [receipt] : [],
          notices: [decisionNotice(hold)],
        },
      };
    });
    const [released] = sent;
    if (!released) throw new Error('The store released a message and does not say which');
    const { message, matched } = released;
    if (message.replyTo !== null) inboxes.settle(workspace, message.from, [message.replyTo]);
    messages.noteExpiry(message);
    return { ...message, matched, duplicate: false };
  }

  #refuse(
    workspace: string,
    id: number,
    { decidedBy, because }: Pick<Extract<Hold, { status: 'refused' }>, 'decidedBy' | 'because'>,
    mayDecide: (hold: Hold, agents: Directory) => void = () => {},
  ): Promise<Hold> {
    const decidedAt = this.#deps.clock.now();
    return this.#deps.store.holds.change<Hold>(workspace, id, (current, { agents }) => {
      const open = stillHeld(current, id, (hold) => mayDecide(hold, agents));
      const hold: Hold = { ...open, status: 'refused', decidedAt, decidedBy, because };
      const events: readonly NewEvent[] = [{ type: 'message.refused', at: decidedAt, hold }];
      return { answer: hold, change: { at: decidedAt, events, holds: [{ hold, attempt: null }], notices: [decisionNotice(hold)] } };
    });
  }

  /**
   * Whoever decides acts on behalf of the sender, and sends to the recipient: it must be free to do both. Who may not, nor read it, is not told
   * whose it is.
   */
  #assertMayDecide(principal: Principal, hold: Hold, agents: Directory): void {
    const { id, message } = hold;
    try {
      assertMayActUpon(principal, message.from);
      assertMayAddress(principal, { to: message.to, channel: message.channel });
    } catch (error) {
      throw this.#deps.readers.rightsIn(agents, principal).mayReadHold(hold) ? error : noHold(id);
    }
  }
}

function found(hold: Hold | null, id: number): Hold {
  if (hold) return hold;
  throw noHold(id);
}

const noHold = (id: number): RelayError => new RelayError('not_found', `There is no held message ${id}`);

function stillHeld(current: Hold | null, id: number, mayDecide: (hold: Hold) => void): Extract<Hold, { status: 'held' }> {
  const hold = found(current, id);
  mayDecide(hold);
  if (hold.status === 'held') return hold;
  const details = { status: hold.status, by: hold.decidedBy, resolvedAt: hold.decidedAt };
  throw new RelayError('already_resolved', `Held message ${id} was ${hold.status} by ${hold.decidedBy}`, { details });
}
