import { GrammyError, HttpError } from 'grammy/web';

/** What a failed call asks for: another try after a wait, giving this call up, or giving the bot up. */
export type Verdict =
  | { readonly type: 'wait'; readonly ms: number }
  /** `isAnswered` false: nothing tells whether Telegram did it. */
  | { readonly type: 'retry'; readonly isAnswered: boolean }
  | { readonly type: 'refused'; readonly reason: string; readonly status: number }
  | { readonly type: 'fatal'; readonly reason: string };

/** Null when the error is no failure of a call, but a bug or an abort. */
export function judgeFailure(error: unknown): Verdict | null {
  if (error instanceof HttpError) return { type: 'retry', isAnswered: false };
  if (!(error instanceof GrammyError)) return null;
  const { error_code: status, parameters } = error;
  if (parameters.retry_after !== undefined) return { type: 'wait', ms: parameters.retry_after * 1000 };
  if (status === 429 || status >= 500) return { type: 'retry', isAnswered: true };
  // 404 is how the API answers a token that has never been one.
  if (status === 401 || status === 404) return { type: 'fatal', reason: 'Telegram does not accept the bot token' };
  if (parameters.migrate_to_chat_id !== undefined) {
    const reason = `the group has become a supergroup with the id ${parameters.migrate_to_chat_id}; allow and bind that one`;
    return { type: 'refused', reason, status };
  }
  return { type: 'refused', reason: error.description.replace(/^(?:Bad Request|Forbidden): /u, ''), status };
}
