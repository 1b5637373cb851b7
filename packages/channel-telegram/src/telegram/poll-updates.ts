import { type Log, Pauses, sleep } from 'agent-relay-wire';
import type { Update } from 'grammy/types';
import type { BotApi } from './bot-api.ts';
import { TelegramFatal } from './chat-sender.ts';
import { judgeFailure } from './judge-failure.ts';

export interface PollOptions {
  readonly api: BotApi;
  readonly log: Log;
  /** Ends the polling, after the update in hand. */
  readonly signal: AbortSignal;
  /** Resolves once the update needs no second look: only then is it confirmed. */
  readonly handle: (update: Update) => Promise<void>;
  readonly waitSeconds?: number;
}

const FAREWELL_MS = 3000;

/**
 * Takes updates in order, one at a time. An update that was handled is confirmed by the next poll, or on the way out; after a crash in between it
 * comes again. Connects again for as long as it takes. @throws TelegramFatal
 */
export async function pollUpdates({ api, log, signal, handle, waitSeconds = 25 }: PollOptions): Promise<void> {
  let offset = 0;
  let confirmed = 0;
  const pauses = new Pauses({ initialMs: 500 });
  while (!signal.aborted) {
    try {
      const updates = await api.updates({ offset, waitSeconds }, signal);
      confirmed = offset;
      pauses.reset();
      for (const update of updates) {
        if (signal.aborted) break;
        await handle(update);
        offset = update.update_id + 1;
      }
    } catch (error) {
      if (signal.aborted) break;
      await pause(error, { log, signal, pauses });
    }
  }
  // So that what was done does not come again at the next start; if this fails it does, and is recognised.
  if (offset > confirmed) await api.updates({ offset, waitSeconds: 0 }, AbortSignal.timeout(FAREWELL_MS)).catch(() => {});
}

interface PauseOptions extends Pick<PollOptions, 'log' | 'signal'> {
  readonly pauses: Pauses;
}

async function pause(error: unknown, { log, signal, pauses }: PauseOptions): Promise<void> {
  const verdict = judgeFailure(error);
  if (verdict === null) throw error;
  if (verdict.type === 'fatal') throw new TelegramFatal(verdict.reason, { cause: error });
  const waitMs = verdict.type === 'wait' ? verdict.ms : pauses.nextMs();
  const isConflict = verdict.type === 'refused' && verdict.status === 409;
  if (isConflict) log.warn("another process takes this bot's updates: only one may", { waitMs });
  else log.warn('Telegram cannot be reached, trying again', { waitMs, error });
  await sleep(waitMs, { signal });
}
