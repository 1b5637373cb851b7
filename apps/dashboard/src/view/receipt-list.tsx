import { Link } from '@tanstack/react-router';
import type { Delivery, MessageDetail } from 'agent-relay-client';
import { useEffect, useState } from 'react';
import { useLive } from '../live/use-live.ts';
import { deliveriesView } from '../relay/messages.ts';
import { known } from './known.ts';
import { isUnreadByOwner, ReadByOwner } from './messages/read-by-owner.tsx';
import { SendAgain } from './messages/send-again.tsx';

const looks: Record<Delivery['state'], { readonly mark: string; readonly tone: string; readonly meaning: string }> = {
  queued: { mark: '○', tone: 'text-soft', meaning: 'stored, waiting for the recipient' },
  dispatched: { mark: '◐', tone: 'text-soft', meaning: 'handed over; no word from the recipient yet' },
  delivered: { mark: '●', tone: 'text-ink', meaning: 'the recipient has it' },
  seen: { mark: '◉', tone: 'text-good', meaning: 'the model has it' },
  answered: { mark: '✔', tone: 'text-good', meaning: 'answered' },
  failed: { mark: '✕', tone: 'text-bad', meaning: 'failed' },
  expired: { mark: '⧗', tone: 'text-bad', meaning: 'expired before it could be handed over' },
};

export const receiptLook = (state: string) => known(looks, state, (word) => ({ mark: '?', tone: 'text-soft', meaning: word }));

/** Shown one by one up to here; a broadcast's receipts are counted. */
const SHOWN_RECIPIENTS = 4;

/** Each recipient's receipt, and the evidence it rests on. */
export function ReceiptList({ message }: { readonly message: MessageDetail }) {
  const { data: deliveries } = useLive(useIsSettled() ? deliveriesView(message.id) : null);
  if (!deliveries) return null;
  if (deliveries.length === 0) return <span className="text-warn">reached nobody</span>;
  return (
    <>
      {deliveries.length > SHOWN_RECIPIENTS ? <Counts deliveries={deliveries} /> : <Each messageId={message.id} deliveries={deliveries} />}
      {deliveries.some(isUnreadByOwner) ? <ReadByOwner messageId={message.id} /> : null}
      <SendAgain message={message} to={deliveries.filter(isFailed).map(({ agentId }) => agentId)} />
    </>
  );
}

function Each({ messageId, deliveries }: { readonly messageId: number; readonly deliveries: readonly Delivery[] }) {
  return deliveries.map((delivery) => {
    const { mark, meaning } = receiptLook(delivery.state);
    const evidence = delivery.evidence === null ? '' : ` (evidence: ${delivery.evidence})`;
    return (
      <span
        key={delivery.agentId}
        className={toneOf(delivery.state, [delivery])}
        title={`${delivery.agentId}: ${meaning}${evidence}${delivery.reason === null ? '' : `: ${delivery.reason}`}`}
        data-receipt={delivery.state}
      >
        {mark}{' '}
        <Link to="/agents/$agentId" params={{ agentId: delivery.agentId }} search={{ message: messageId }} className="hover:underline">
          {delivery.agentId}
        </Link>{' '}
        {delivery.state}
        {delivery.evidence === null ? '' : ` · ${delivery.evidence}`}
        {delivery.late ? ' · late' : ''}
        {isFailed(delivery) || delivery.reason === null ? '' : `, then: ${delivery.reason}`}
      </span>
    );
  });
}

const isFailed = ({ state }: Delivery): boolean => state === 'failed' || state === 'expired';

/** What was confirmed stays so; that a recipient has died of it since is no good news all the same. */
export const toneOf = (state: string, of: readonly Delivery[]): string =>
  of.some((delivery) => delivery.reason !== null && !isFailed(delivery)) ? 'text-warn' : receiptLook(state).tone;

/** A row that only flies past is not asked about. */
const SETTLED_MS = 150;

function useIsSettled(): boolean {
  const [isSettled, setSettled] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(true), SETTLED_MS);
    return () => clearTimeout(timer);
  }, []);
  return isSettled;
}

function Counts({ deliveries }: { readonly deliveries: readonly Delivery[] }) {
  const counts = Map.groupBy(deliveries, ({ state }) => state);
  return [...counts].map(([state, of]) => (
    <span key={state} className={toneOf(state, of)} title={of.map(({ agentId }) => agentId).join(', ')} data-receipt={state}>
      {receiptLook(state).mark} {of.length} {state}
    </span>
  ));
}
