import { join } from 'node:path';
import type { LiveEvent } from 'agent-relay-provider';
import type { CodexClient } from '../app-server/codex-client.ts';
import { HooksConfigResult } from '../app-server/methods.ts';

/** What is told of a session whose hook Codex will not run; `where` it was said so, as far as that is known. */
export const hooksAreOff = (where?: string): LiveEvent => ({
  type: 'agent.error',
  code: 'config_warning',
  message: `Codex runs no hooks in this folder, as ${where === undefined ? 'its settings say' : `${where} says`} (features.hooks): this session is not kept from what others have reserved, nor an agentic one from files that can run commands`,
  willRetry: true,
});

/** Undefined where hooks run, or a server does not say. */
export async function whereHooksAreOff(client: Pick<CodexClient, 'ask'>, cwd: string): Promise<LiveEvent | undefined> {
  const { config, origins } = await client.ask(HooksConfigResult, 'config/read', { includeLayers: false, cwd });
  if (config?.features?.hooks !== false) return undefined;
  const { dotCodexFolder, file } = origins['features.hooks']?.name ?? {};
  return hooksAreOff(dotCodexFolder === undefined ? file : join(dotCodexFolder, 'config.toml'));
}

/** Of what `codex features list` prints. */
export const areHooksOff = (features: string): boolean => /^hooks\s.*\sfalse\s*$/mu.test(features);
