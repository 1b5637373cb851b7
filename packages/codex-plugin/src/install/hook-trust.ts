import type { CodexClient } from 'agent-relay-codex-app-server';
import { z } from 'zod';
import { withCodex } from '../session/with-codex.ts';
import { codexPluginId } from './places.ts';

const HooksAnswer = z.looseObject({
  data: z.array(
    z.looseObject({
      hooks: z.array(z.looseObject({ key: z.string(), pluginId: z.string().nullish(), currentHash: z.string(), trustStatus: z.string() })),
    }),
  ),
});
const Written = z.looseObject({});

export interface HookTrust {
  /** How many hooks the plugin has here. */
  readonly count: number;
  readonly trusted: number;
}

interface Where {
  readonly codex: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** How the plugin's hooks stand with Codex, which runs none that nobody has trusted. */
export async function readHookTrust(where: Where): Promise<HookTrust> {
  return await withCodex(where, async (client) => {
    const hooks = await pluginHooks(client, where.cwd);
    return { count: hooks.length, trusted: hooks.filter(({ trustStatus }) => trustStatus === 'trusted').length };
  });
}

/** Writes a person's word that the plugin's hooks, as they are now, may run. */
export async function trustHooks(where: Where): Promise<void> {
  await withCodex(where, async (client) => {
    const edits = (await pluginHooks(client, where.cwd)).map(({ key, currentHash }) => ({
      keyPath: `hooks.state.${JSON.stringify(key)}.trusted_hash`,
      value: currentHash,
      mergeStrategy: 'upsert',
    }));
    await client.ask(Written, 'config/batchWrite', { edits, reloadUserConfig: true });
  });
}

async function pluginHooks(client: CodexClient, cwd: string) {
  const { data } = await client.ask(HooksAnswer, 'hooks/list', { cwds: [cwd] });
  return data.flatMap(({ hooks }) => hooks).filter(({ pluginId }) => pluginId === codexPluginId);
}
