import type { Delivery } from 'agent-relay-client';
import { OWNER_AGENT_ID } from 'agent-relay-protocol';
import { useEffect, useRef } from 'react';
import { isOwner } from '../../live/permissions.ts';
import { useIsLive, useRelay } from '../../live/use-connection.ts';
import { useMe } from '../../live/use-live.ts';

/** So long a message stands before the eyes of who has read it. */
const READING_MS = 1_000;

export const isUnreadByOwner = ({ agentId, state }: Delivery): boolean =>
  agentId === OWNER_AGENT_ID && (state === 'queued' || state === 'dispatched' || state === 'delivered');

/** Tells the relay that the owner has read a message, once it has stood in sight for a while. */
export function ReadByOwner({ messageId }: { readonly messageId: number }) {
  const place = useRef<HTMLSpanElement>(null);
  const relay = useRelay();
  const isLive = useIsLive();
  const me = useMe();
  const mayTell = isLive && isOwner(me);
  useEffect(() => {
    if (!mayTell || !place.current) return;
    const tell = () => {
      // Should the relay not hear of it, it is told when the message is looked at again.
      if (document.visibilityState === 'visible') relay.inbox.ack({ id: OWNER_AGENT_ID, ids: [messageId], state: 'seen' }).catch(() => {});
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (isInSight: boolean) => {
      clearTimeout(timer);
      timer = isInSight && document.visibilityState === 'visible' ? setTimeout(tell, READING_MS) : undefined;
    };
    let isInSight = false;
    const observer = new IntersectionObserver((looks) => {
      isInSight = looks.at(-1)?.isIntersecting ?? false;
      look(isInSight);
    });
    const onVisible = () => look(isInSight);
    observer.observe(place.current);
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [mayTell, messageId, relay]);
  return <span ref={place} aria-hidden="true" className="w-px self-stretch" />;
}
