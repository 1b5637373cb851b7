import type { PushTopic } from 'agent-relay-protocol';

/** As the service worker reads it, which sees no other storage of the page. */
const CACHE = 'agent-relay-push';
const PLACE = '/kept-for-worker';

/** What the worker needs to subscribe this browser again when its push service gave up the old address and no page is open. */
export interface KeptForWorker {
  readonly publicKey: string;
  readonly topics: readonly PushTopic[];
  readonly label: string;
  /** The word that goes with this browser's cookie; null where a token is shown in its place. */
  readonly session: string | null;
}

export async function keepForWorker(kept: KeptForWorker | null): Promise<void> {
  if (!('caches' in globalThis)) return;
  if (kept === null) await caches.delete(CACHE);
  else await (await caches.open(CACHE)).put(PLACE, new Response(JSON.stringify(kept)));
}
