import { formatAddress, LISTED_READERS, type Principal, principalName, RelayError, type RouteInput } from 'agent-relay-protocol';
import type { Clock } from '../../clock.ts';
import { actAs } from '../../domain/act-as.ts';
import { actingId } from '../../domain/acting.ts';
import { readAddress } from '../../domain/address.ts';
import type { Page, StoredMessage } from '../../domain/change.ts';
import { advanceDelivery } from '../../domain/delivery.ts';
import { receiptOf } from '../../domain/delivery-changes.ts';
import type { Store } from '../../store/store.ts';
import type { Readers } from '../access/readers.ts';
import { assertNothingOf, registered } from '../access/registered.ts';
import { isFirstPage, listed, listedById, pageOf } from '../contract/listed.ts';
import type { RelayHandlers } from '../contract/relay-contract.ts';
import { countDeadLetters } from './dead-letters.ts';
import type { Inboxes } from './inboxes.ts';
import type { Messages } from './messages.ts';
import type { Receipts } from './receipts.ts';

type MessageRouteName =
  | 'messages/send'
  | 'messages/list'
  | 'messages/cursor'
  | 'messages/get'
  | 'messages/thread'
  | 'messages/deliveries'
  | 'messages/read'
  | 'messages/dead'
  | 'messages/dismiss'
  | 'messages/remove';

export interface MessageRoutesDeps {
  readonly store: Pick<Store, 'agents' | 'messages' | 'deliveries' | 'log'>;
  readonly clock: Clock;
  readonly messages: Messages;
  readonly receipts: Receipts;
  readonly inboxes: Inboxes;
  readonly readers: Readers;
}

export function messageHandlers({
  store,
  clock,
  messages,
  receipts,
  inboxes,
  readers,
}: MessageRoutesDeps): Pick<RelayHandlers, MessageRouteName> {
  const detail = async (stored: StoredMessage) => {
    const [found] = await store.messages.detail([stored]);
    return found ?? { ...stored.message, readBy: [], readCount: 0, claim: null };
  };
  /** What becomes of each says more than the messages: a page may get shorter, at the end from which it is not read. */
  const detailed = async ({ items, cursor, next }: Page<StoredMessage>, isFromBack = false) => {
    const details = await store.messages.detail(isFromBack ? items.toReversed() : items, LISTED_READERS);
    const further = details.length < items.length ? (details.at(-1)?.id ?? null) : next;
    return listed({ items: isFromBack ? details.toReversed() : details, cursor, next: further });
  };

  return {
    'messages/send': (input, context) => messages.send(input, context),
    'messages/list': async ({ to, ...query }, { principal }) => {
      const address = to === undefined ? undefined : readAddress(to);
      const spelled = address && (address.type === 'bare' ? `id:${address.word}` : formatAddress(address));
      const { reading } = readers.of(principal);
      const { workspace } = principal;
      const caller = principalName(principal);
      const asked = pageOf(query);
      const page = await store.messages.list({ ...query, workspace, caller, to: spelled, ...asked, reading });
      if (query.for !== undefined && isFirstPage(query)) assertNothingOf(store.agents.index.in(workspace), query.for, page.items);
      return detailed(page, 'before' in asked);
    },
    'messages/cursor': () => ({ cursor: store.log.head, generation: store.log.generation }),
    'messages/get': async ({ id }, { principal }) => detail(await readers.message(principal, id)),
    'messages/thread': async ({ id, ...asked }, { principal }) => {
      const { message } = await readers.message(principal, id);
      const { reading } = readers.of(principal);
      const page = { ...pageOf(asked), caller: principalName(principal), reading };
      return detailed(await store.messages.thread(principal.workspace, message.threadId, page));
    },
    'messages/deliveries': async ({ id, ...page }, { principal }) => {
      const cursor = store.log.head;
      const stored = await readers.message(principal, id);
      const { readsAs } = readers.of(principal);
      const isSender = readsAs(stored.message.from, id);
      const found = (await receipts.of(stored)).filter(({ agentId }) => isSender || readsAs(agentId, id));
      return { ...listedById(found, ({ agentId }) => agentId, page), cursor };
    },
    'messages/read': async (input, { principal }) => detail(await markRead({ store, clock, inboxes, readers }, input, principal)),
    'messages/dead': (_input, { principal }) => countDeadLetters({ store, readers }, principal),
    'messages/dismiss': async (input, context) => ({ dismissed: await messages.dismiss(input, context) }),
    'messages/remove': async (input, context) => {
      await messages.remove(input, context);
      return { removed: true };
    },
  };
}

/** It counts as delivered then. @throws RelayError `forbidden_target` where it is not in that agent's mail. */
async function markRead(
  { store, clock, inboxes, readers }: Pick<MessageRoutesDeps, 'store' | 'clock' | 'inboxes' | 'readers'>,
  { id, agentId, read: _read, ...guard }: RouteInput<'messages/read'>,
  principal: Principal,
): Promise<StoredMessage> {
  const { workspace } = principal;
  const reader = actingId(principal, agentId, 'agentId');
  actAs(store.agents.index.in(principal.workspace), principal, reader, guard);
  const stored = await readers.message(principal, id);
  const now = clock.now();
  inboxes.supersede(workspace, reader, [id]);
  const known = await store.deliveries.change(workspace, reader, [id], ({ found, agents }) => {
    actAs(agents, principal, reader, guard);
    if (found.record.readAt !== null) return { answer: null, change: null };
    const moved = advanceDelivery(found.record, { state: 'delivered', evidence: 'ack' }, now);
    const receipt = receiptOf(found, { ...(moved ?? found.record), readAt: now });
    const events = [{ type: 'message.read', at: now, messageId: id, agentId: reader } as const];
    return { answer: null, change: { at: now, events, deliveries: [{ ...receipt, tell: moved !== null }] } };
  });
  if (known.length === 0) registered(store.agents.index.in(workspace), reader);
  if (known.length === 0) throw new RelayError('forbidden_target', `Message ${id} is not in the mail of ${reader}`);
  inboxes.settle(workspace, reader, [id]);
  return stored;
}
