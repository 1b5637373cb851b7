import {
  type Agent,
  DEFAULT_PAGE_SIZE,
  type DeliveryReport,
  type Message,
  type MethodParams,
  type Principal,
  RelayError,
  type SessionGuard,
} from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs } from '../../domain/act-as.ts';
import type { NewMessage } from '../../domain/change.ts';
import { type DeliveryStep, isDeliveryOpen, recordAt } from '../../domain/delivery.ts';
import { nextReceipt } from '../../domain/delivery-changes.ts';
import type { Directory } from '../../domain/directory.ts';
import { isNotice, noticeTo } from '../../domain/notices.ts';
import { agentOf } from '../../domain/scopes.ts';
import type { Store } from '../../store/store.ts';
import { assertAccess } from '../access/access.ts';
import { registered } from '../access/registered.ts';
import type { CallContext, HandlersOf, InboxStream } from '../contract/relay-contract.ts';
import type { Inboxes } from './inboxes.ts';
import { settledOf } from './settled.ts';

const DEFAULT_WINDOW = 64;

const onlyLooking = 'Only with peek: what was taken is followed by more once it is acknowledged';

export interface InboxRoutesDeps {
  readonly store: Pick<Store, 'agents' | 'deliveries' | 'log'>;
  readonly clock: Clock;
  readonly inboxes: Inboxes;
}

export interface InboxRoutes {
  readonly handlers: HandlersOf<'deliveries' | 'inbox'>;
  openInbox(params: MethodParams<'inbox/subscribe'>, context: CallContext): Promise<InboxStream>;
}

/** Whose mail, and who fetches it. */
interface Fetching {
  readonly principal: Principal;
  readonly id: string;
  readonly guard: SessionGuard;
}

/** Fetching mail and saying what became of it. */
export function inboxHandlers({ store, clock, inboxes }: InboxRoutesDeps): InboxRoutes {
  const assertMayFetch = (principal: Principal, id: string, guard: SessionGuard): Agent =>
    fetcher(store.agents.index.in(principal.workspace), principal, id, guard);

  /** Moves copies, under the session that is current when the write is decided. */
  const apply = async ({ principal, id, guard }: Fetching, ids: readonly number[], stepOf: (position: number) => DeliveryStep) => {
    assertMayFetch(principal, id, guard);
    const { workspace } = principal;
    const now = clock.now();
    const moved = await store.deliveries.change(workspace, id, ids, ({ agents, found, position }) => {
      const agent = fetcher(agents, principal, id, guard);
      const { message, record } = found;
      const current = recordAt(record, message.expiresAt, inboxes.wasHandedOver(workspace, id, message.id), now);
      const receipt = nextReceipt({ ...found, record: current }, stepOf(position), now);
      if (!receipt) return { answer: !isDeliveryOpen(record.state), change: null };
      const { state, reason } = receipt.next;
      // Whoever wrote to a channel cannot see that it did not reach the people outside.
      const isLost = agent.kind === 'channel' && state === 'failed' && !isNotice(message);
      const notices = isLost ? [notSentOn(message, id, reason, now)] : [];
      return { answer: !isDeliveryOpen(state), change: { at: now, deliveries: [receipt], notices } };
    });
    inboxes.settle(workspace, id, settledOf(moved));
    return moved;
  };

  return {
    handlers: {
      'inbox/list': async ({ id, waitMs = 0, limit = DEFAULT_PAGE_SIZE, peek, after, since, ...guard }, { principal, signal }) => {
        // To be handed mail changes what is waiting: who may only read may only look.
        if (peek !== true) assertAccess({ scope: 'messages:write', anonymous: true }, principal);
        if (peek !== true) assertNotTurned({ after, since });
        assertMayFetch(principal, id, guard);
        const request = { workspace: principal.workspace, agentId: id, limit, waitMs, signal };
        const { items, next } =
          peek === true
            ? await inboxes.peekUntil({ ...request, after: after ?? since ?? 0 })
            : { items: await inboxes.poll({ ...request, isOwn: agentOf(principal) === id }), next: null };
        // Whoever waited in vain may have waited for mail that is no longer its own to fetch.
        if (items.length === 0) assertMayFetch(principal, id, guard);
        return { data: [...items], cursor: store.log.head, ...(next === null ? {} : { nextCursor: next }) };
      },
      'inbox/ack': async ({ id, ids, state = 'delivered', ...guard }, { principal }) => {
        assertMayFetch(principal, id, guard);
        inboxes.supersede(principal.workspace, id, ids);
        const step: DeliveryStep = { state, evidence: 'ack' };
        const acknowledged = (await apply({ principal, id, guard }, ids, () => step)).map(({ messageId }) => messageId);
        return { acknowledged, unknown: acknowledged.length === ids.length ? [] : without(ids, acknowledged) };
      },
      'deliveries/report': async ({ id, reports, ...guard }, { principal }) => {
        assertMayFetch(principal, id, guard);
        for (const [position, report] of reports.entries()) assertComplete(report, position);
        const dispatched = reports.filter(({ state }) => state === 'dispatched');
        const others = reports.filter(({ state }) => state !== 'dispatched');
        const handedOver = dispatched.length === 0 ? [] : await inboxes.handOver(principal.workspace, id, idsOf(dispatched));
        const rest = handedOver === null ? reports : others;
        inboxes.supersede(principal.workspace, id, idsOf(others));
        const moved = await apply({ principal, id, guard }, idsOf(rest), (position) => rest[position] ?? { state: 'queued' });
        const changed = moved.flatMap(({ messageId, isChanged }) => (isChanged ? [messageId] : []));
        return { applied: [...(handedOver ?? []), ...changed] };
      },
    },
    openInbox: async (params, context) => inboxes.openStream(streamOf(params, context, assertMayFetch)),
  };
}

function streamOf(
  { id, window = DEFAULT_WINDOW, ...guard }: MethodParams<'inbox/subscribe'>,
  { principal, signal, turn }: CallContext,
  assertMayFetch: (principal: Principal, id: string, guard: SessionGuard) => Agent,
): Parameters<Inboxes['openStream']>[0] {
  const { epoch } = assertMayFetch(principal, id, guard);
  const { workspace } = principal;
  const mayStill = () => void assertMayFetch(principal, id, guard);
  const reportsHandOver = principal.type === 'node';
  return { workspace, agentId: id, epoch, window, reportsHandOver, mayStill, signal, turn };
}

/** Who fetches mail. @throws RelayError `not_found`, and what `actAs` throws. */
function fetcher(agents: Directory, principal: Principal, id: string, guard: SessionGuard): Agent {
  actAs(agents, principal, id, guard);
  return registered(agents, id);
}

function notSentOn(message: Message, channelId: string, reason: string | null, at: number): NewMessage {
  const body = `${channelId} could not send on message ${message.id}: ${reason ?? 'no reason given'}`;
  return noticeTo({ to: message.from, body, about: message.id, payload: { type: 'channel.failed', channelId, reason }, at });
}

const idsOf = (reports: readonly DeliveryReport[]): number[] => reports.map(({ messageId }) => messageId);

function without(ids: readonly number[], known: readonly number[]): number[] {
  const found = new Set(known);
  return ids.filter((id) => !found.has(id));
}

/** A receipt states only what there is evidence for. */
function assertComplete({ state, evidence, reason }: DeliveryReport, position: number): void {
  const missing = state === 'failed' ? reason === undefined && 'reason' : state !== 'dispatched' && evidence === undefined && 'evidence';
  if (!missing) return;
  const path = `reports.${position}.${missing}`;
  throw new RelayError('validation_failed', `${path}: ${state} needs its ${missing}`, {
    issues: [{ path, message: `${state} needs its ${missing}` }],
  });
}

function assertNotTurned(page: { readonly after: number | undefined; readonly since: number | undefined }): void {
  const path = page.after !== undefined ? 'after' : page.since !== undefined ? 'since' : null;
  if (path === null) return;
  throw new RelayError('validation_failed', `${path}: ${onlyLooking}`, { issues: [{ path, message: onlyLooking }] });
}
