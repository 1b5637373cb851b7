import type { Principal, RouteName } from 'agent-relay-protocol';
import { useSyncExternalStore } from 'react';
import type { LiveView, Shown } from './live-view.ts';
import { mayCall } from './permissions.ts';
import { useConnection } from './use-connection.ts';
import type { View } from './view.ts';

/** A view, and the means to read it again where that failed. */
export type Live<Data> = Shown<Data> & { readonly readAgain: () => void };

/** Who is signed in, for as long as this page is open: what a token may do does not change in its life. */
const meView: View<Principal> = {
  name: 'me',
  route: 'system/me',
  read: async (relay) => ({ data: await relay.system.me(), cursor: 0 }),
  apply: (me) => me,
};

/** Who is signed in; undefined until that is known. */
export const useMe = (): Principal | undefined => useWatched(useConnection().views.of(meView)).data;

/** Whether whoever is signed in may do what a route does. */
export const useMayCall = (name: RouteName): boolean => mayCall(useMe(), name);

/** A view for as long as something shows it; it stays unread for who may not read it, and while there is none. */
export function useLive<Data>(view: View<Data> | null): Live<Data> {
  const { views } = useConnection();
  const mayRead = useMayCall(view?.route ?? 'system/me');
  return useWatched(view !== null && mayRead ? views.of(view) : null);
}

function useWatched<Data>(live: LiveView<Data> | null): Live<Data> {
  const { data, error, isWhole } = useSyncExternalStore(live?.watch ?? watchNothing, live?.get ?? getNothing);
  return { data, error, isWhole, readAgain: live?.readAgain ?? watchNothing };
}

const nothing: Shown<never> = { data: undefined, error: null, isWhole: false };
const getNothing = () => nothing;
const watchNothing = () => () => {};
