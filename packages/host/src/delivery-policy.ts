import type { DeliveryMode, InboxItem } from 'agent-relay-protocol';
import { RelayError } from 'agent-relay-protocol';

/** One message that waits in the host. */
export interface WaitingPiece {
  readonly item: InboxItem;
  /** How often handing it over has failed. */
  readonly attempts: number;
  /** The runtime refused a prompt that held it among others: it goes by itself, to learn which one it was. */
  readonly isAlone: boolean;
  /** Under which id an earlier process handed it to this very program, which may have it. */
  readonly promptId: string | null;
}

export interface MailBatch {
  readonly mode: DeliveryMode;
  readonly mail: readonly WaitingPiece[];
}

/** What one prompt carries at most; the rest waits for the next turn. */
export const MAX_BATCH_MESSAGES = 20;
export const MAX_BATCH_CHARACTERS = 128 * 1024;
export const MAX_ATTEMPTS = 5;

export interface DeliveryMoment {
  readonly isTurnRunning: boolean;
  /** Whether `fyi` adds to what the model knows without a turn; else it waits for one of its own. */
  readonly hasContext: boolean;
}

/**
 * What to hand over next; null when everything waits for the turn to end. While a turn runs, `urgent` goes first, then `now`, then `fyi`, each
 * with all of its kind. Between turns there is nothing to interrupt: everything waiting goes together, in the order it was sent.
 */
export function nextBatch(waiting: readonly WaitingPiece[], { isTurnRunning, hasContext }: DeliveryMoment): MailBatch | null {
  if (waiting.length === 0) return null;
  const inOrder = [...waiting].sort((left, right) => left.item.message.id - right.item.message.id);
  if (!isTurnRunning) {
    const isContextOnly = inOrder.every(({ item }) => item.message.mode === 'fyi');
    return { mode: isContextOnly && hasContext ? 'fyi' : 'next', mail: fitting(inOrder) };
  }
  for (const mode of ['urgent', 'now', ...(hasContext ? (['fyi'] as const) : [])] as const) {
    const mail = inOrder.filter(({ item }) => item.message.mode === mode);
    if (mail.length > 0) return { mode, mail: fitting(inOrder.filter((piece) => mail.includes(piece) || mail.some(goesWith(piece)))) };
  }
  return null;
}

/** What went in one prompt, of whatever modes, goes in one again. */
const goesWith =
  ({ promptId }: WaitingPiece) =>
  (other: WaitingPiece): boolean =>
    promptId !== null && other.promptId === promptId;

function fitting(mail: readonly WaitingPiece[]): readonly WaitingPiece[] {
  const batch: WaitingPiece[] = [];
  let length = 0;
  for (const piece of mail) {
    // What went in one prompt goes in one again, and nothing with it: the program takes or drops it as a whole.
    if (batch[0] && piece.promptId !== batch[0].promptId) continue;
    if (batch.length > 0 && (piece.isAlone || batch[0]?.isAlone)) break;
    length += piece.item.message.body.length;
    if (batch.length > 0 && (batch.length >= MAX_BATCH_MESSAGES || length > MAX_BATCH_CHARACTERS)) break;
    batch.push(piece);
  }
  return batch;
}

/** Whether handing over again could not help: the runtime took a look and said no. */
export function isRefusedForGood(error: unknown): boolean {
  return error instanceof RelayError && ['validation_failed', 'payload_too_large', 'unsupported', 'forbidden'].includes(error.code);
}

/** What becomes of a batch whose prompt failed: `retry` goes back to the queue, `failed` is told to the sender. */
export function afterFailure(
  mail: readonly WaitingPiece[],
  error: unknown,
): { readonly retry: readonly WaitingPiece[]; readonly failed: readonly WaitingPiece[] } {
  // What an earlier process handed over may still be there: it keeps its id.
  const tried = mail.map((piece) => ({ ...piece, attempts: piece.attempts + 1 }));
  if (isRefusedForGood(error)) {
    if (mail.length === 1) return { retry: [], failed: tried };
    // Refused is not taken: it comes in other company now, under another id.
    return { retry: tried.map((piece) => ({ ...piece, isAlone: true, promptId: null })), failed: [] };
  }
  return {
    retry: tried.filter(({ attempts }) => attempts < MAX_ATTEMPTS),
    failed: tried.filter(({ attempts }) => attempts >= MAX_ATTEMPTS),
  };
}

/** How long to wait before the next try, by the highest count of failures. */
export const retryDelayMs = (attempts: number): number => Math.min(1000 * 2 ** Math.max(0, attempts - 1), 30_000);
