/**
 * When a stream may take what it will hand over. What lies ready is not taken before that: it costs nothing where it is. Whoever has the turn
 * keeps it until what it took has been handed on.
 */
export interface StreamTurn {
  /** Resolves when it is this stream's turn, or at once when the signal has aborted. */
  begin(signal: AbortSignal): Promise<void>;
  /** Idempotent, also for a stream whose turn never came. */
  end(): void;
}

/** For a stream that has its link to itself. */
export const ownTurn: StreamTurn = { begin: async () => {}, end: () => {} };
