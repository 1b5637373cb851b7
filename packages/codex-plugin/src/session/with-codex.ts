import { CodexAppServer, CodexClient } from 'agent-relay-codex-app-server';
import { RELAY_VERSION } from 'agent-relay-protocol';
import { z } from 'zod';

export interface WhichCodex {
  /** The program. */
  readonly codex: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** Asks a Codex of this environment something; its server ends with the answer. */
export async function withCodex<Answer>(
  { codex, env, signal }: WhichCodex,
  ask: (client: CodexClient) => Promise<Answer>,
): Promise<Answer> {
  await using server = await CodexAppServer.start({ command: codex, env, signal });
  const clientInfo = { name: 'agent_relay_codex', version: RELAY_VERSION };
  await using client = await CodexClient.connect(server.endpoint, { clientInfo, ...(signal && { signal }) });
  return await ask(client);
}

const ThreadsPage = z.looseObject({ data: z.array(z.looseObject({ id: z.string() })) });

/** The id of the newest conversation of a folder, null without one. */
export async function newestThread({ cwd, ...which }: WhichCodex & { readonly cwd: string }): Promise<string | null> {
  const params = { cwd, limit: 1, sortKey: 'updated_at' };
  return await withCodex(which, async (client) => (await client.ask(ThreadsPage, 'thread/list', params)).data[0]?.id ?? null);
}
