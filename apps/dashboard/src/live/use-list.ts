import { type Command, useCommand } from './use-command.ts';
import { useConnection } from './use-connection.ts';
import { useLive, useMayCall, useMe } from './use-live.ts';
import type { ListView } from './view.ts';

/** A list as a page shows it. */
export interface List<Item> {
  /** `refused`: not for who is signed in; `reading`: not known yet; `failed`: could not be read, or not again. */
  readonly status: 'refused' | 'reading' | 'failed' | 'ready';
  readonly all: readonly Item[];
  /** What is shown of it, in order. */
  readonly items: readonly Item[];
  readonly error: unknown;
  readonly readAgain: () => void;
  /** There is nothing further back. */
  readonly isWhole: boolean;
  /** Reads further back, where the list goes further; resolves with whether that was the end. */
  readonly older: Command<void, boolean>;
}

/** A list of the relay. `arrange` says which of it are shown, and in what order. */
export function useList<Item>(view: ListView<Item>, arrange: (all: readonly Item[]) => readonly Item[] = asItComes): List<Item> {
  const { views } = useConnection();
  const isKnown = useMe() !== undefined;
  const mayRead = useMayCall(view.route);
  const { data, error, isWhole, readAgain } = useLive(view);
  const older = useCommand(async () => {
    if (!view.older) return true;
    return views.of(view).readOlder(view.older);
  });
  const all = data ?? nothing;
  const isRefused = isKnown && !mayRead;
  const status = isRefused ? 'refused' : error !== null ? 'failed' : data === undefined ? 'reading' : 'ready';
  return { status, all, items: arrange(all), error, readAgain, isWhole, older };
}

const nothing: readonly never[] = [];
const asItComes = <Item>(all: readonly Item[]): readonly Item[] => all;
