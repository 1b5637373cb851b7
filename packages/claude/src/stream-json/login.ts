import { RelayError } from 'agent-relay-protocol';
import { lenient } from 'agent-relay-wire';
import { z } from 'zod';
import type { ControlAnswer } from './control-requests.ts';

export const notLoggedIn = 'Claude Code is not logged in: run `claude auth login` on its machine, or set ANTHROPIC_API_KEY';

const text = lenient(z.string());
const Account = z.looseObject({ apiProvider: text, tokenSource: text, apiKeySource: text });

/**
 * What `initialize` answers of the account: without a token and a key the first turn would fail. An answer that says nothing of it, and another
 * provider than the vendor's own, are taken as they are.
 * @throws RelayError `provider_unavailable`, with how to log in.
 */
export function assertLoggedIn({ response }: Pick<ControlAnswer, 'response'>): void {
  const account = Account.safeParse(response['account']);
  if (!account.success) return;
  const { apiProvider, tokenSource, apiKeySource } = account.data;
  if (apiProvider !== 'firstParty' || tokenSource !== 'none' || (apiKeySource ?? 'none') !== 'none') return;
  throw new RelayError('provider_unavailable', notLoggedIn);
}
