import { LOOKED_AT_MS } from 'agent-relay-protocol';
import type { Connection } from '../../live/connection.ts';
import { mayCall } from '../../live/permissions.ts';

export const isLookedAt = (): boolean => document.visibilityState === 'visible' && document.hasFocus();

/** Tells the relay while somebody looks at this page: what they see there need not be pushed to their other devices. */
export function tellLooking(connection: Connection): void {
  const { relay } = connection;
  const page = crypto.getRandomValues(new Uint32Array(4)).join('-');
  let told: boolean | null = null;
  let mayTell: Promise<boolean> | null = null;
  const tell = async (isToldAgain: boolean) => {
    if (connection.getState().status !== 'live') {
      told = null;
      return;
    }
    const isLooked = isLookedAt();
    if (isLooked === told && !(isLooked && isToldAgain)) return;
    told = isLooked;
    mayTell ??= relay.system.me().then((me) => mayCall(me, 'push/look'));
    if (await mayTell) await relay.push.look({ page, isLookedAt: isLooked });
  };
  // What the relay did not hear it is told with the next.
  const look = (isToldAgain = false) => {
    tell(isToldAgain).catch(() => {
      told = null;
      mayTell = null;
    });
  };
  for (const name of ['focus', 'blur', 'pagehide']) window.addEventListener(name, () => look());
  document.addEventListener('visibilitychange', () => look());
  connection.subscribe(() => look());
  setInterval(() => look(true), LOOKED_AT_MS / 2);
}
