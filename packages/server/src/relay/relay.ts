import { guardedHandlers } from './access/access.ts';
import { livingHandlers } from './calls/living-calls.ts';
import { presentHandlers } from './calls/present-calls.ts';
import { namedHandlers } from './calls/reserved-names.ts';
import type { Relay } from './contract/relay-contract.ts';
import type { RelayCore } from './relay-core.ts';
import type { RelayDeps } from './relay-deps.ts';
import { nodeDoors, principalsOf, streamsOf } from './relay-doors.ts';
import { handlersOf } from './relay-handlers.ts';
import { closeParts, makeParts } from './relay-parts.ts';
import { gatherFigures } from './system/figures.ts';

/** The relay, and what its composition root needs beside the transports' view of it. */
export interface StartedRelay extends Relay {
  readonly core: RelayCore;
  /** One round of the reaper, now, to the end of all that it begins. */
  reap(): Promise<void>;
}

/** Puts the parts together, makes the built-in addresses and starts the reaper. */
export async function createRelay(deps: RelayDeps): Promise<StartedRelay> {
  const parts = await makeParts(deps);
  const { core, presence, reserved, reaper, callbacks, hooks, pushes, indexer, sessions, waits } = parts;
  const { store, feed, clock, tokens, toolMail } = core;
  clock.onMoved?.((byMs) => reaper.timeMoved(byMs));
  reaper.start();
  sessions.start();
  callbacks.start();
  hooks.start();
  pushes?.start();
  store.onTurn({ committed: indexer.ring, rolledBack: () => {} });
  // An older program may have left some.
  indexer.ring();
  let closing: Promise<void> | null = null;
  return {
    core,
    workspace: deps.workspace,
    generation: store.log.generation,
    // Outermost: nobody outside has a handler that does not ask first.
    handlers: guardedHandlers(
      livingHandlers(namedHandlers(presentHandlers(handlersOf(deps, parts), presence), reserved, store.agents.index), tokens.lives),
    ),
    ...nodeDoors(parts),
    ...streamsOf(parts),
    ...principalsOf(tokens, sessions),
    pairings: sessions.pairings,
    dialIns: sessions.dialIns,
    toolMail,
    figures: () => gatherFigures({ store, feed, sessions, claimWaitSeconds: waits }),
    reap: async () => {
      await reaper.reap();
      await sessions.settled();
    },
    close: () => {
      closing ??= closeParts(parts);
      return closing;
    },
  };
}
