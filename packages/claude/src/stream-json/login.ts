import { asText } from 'agent-relay-protocol';
import { lenient } from 'agent-relay-wire';
import { z } from 'zod';
import type { ControlAnswer } from './control-requests.ts';

export const notLoggedIn = 'Claude Code is not logged in: run `claude auth login` on this machine, or set ANTHROPIC_API_KEY';

const text = lenient(z.string());
const Account = z.looseObject({ apiProvider: text, tokenSource: text, apiKeySource: text });
const Settings = z.looseObject({ effective: z.looseObject({ env: z.record(z.string(), z.unknown()) }) });

/**
 * Whether `initialize` says that there is neither a token nor a key. An answer that says nothing of it, and another provider than the vendor's own,
 * are taken for logged in.
 */
export function lacksLogin({ response }: Pick<ControlAnswer, 'response'>): boolean {
  const account = Account.safeParse(response['account']);
  if (!account.success) return false;
  const { apiProvider, tokenSource, apiKeySource } = account.data;
  return apiProvider === 'firstParty' && tokenSource === 'none' && (apiKeySource ?? 'none') === 'none';
}

/** Whether an environment logs in by a header of its own, as gateways want it: Claude then asks the model without a token. */
export function hasLoginHeader(env: Readonly<Record<string, unknown>>): boolean {
  return /^\s*(?:authorization|x-api-key)\s*:/imu.test(asText(env['ANTHROPIC_CUSTOM_HEADERS'] ?? ''));
}

/** Whether an environment logs in: `claude auth status` says yes to each of these that is not empty (2.1.120, 2.1.329). */
export function hasLogin(env: Readonly<Record<string, string>>): boolean {
  return hasLoginHeader(env) || ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN'].some((name) => env[name]);
}

/** The variables that Claude's settings set, as `get_settings` answers them. */
export function settingsEnvironment(settings: unknown): Readonly<Record<string, unknown>> {
  const parsed = Settings.safeParse(settings);
  return parsed.success ? parsed.data.effective.env : {};
}
