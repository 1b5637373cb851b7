import { CodexAppServer, type StartAppServerOptions } from './codex-app-server.ts';
import { CodexClient, type CodexClientOptions } from './codex-client.ts';
import { type DeathLimit, ServerKeeper } from './server-keeper.ts';

export interface LaunchOptions {
  readonly server: Omit<StartAppServerOptions, 'signal'>;
  readonly client: Omit<CodexClientOptions, 'signal'>;
  /** Gives the launch up. */
  readonly signal?: AbortSignal | undefined;
  readonly deathLimit?: DeathLimit | undefined;
  /** Told of each death of the server once its client knows, before the next one starts. */
  readonly onDeath?: (why: string) => void;
}

/** A server of ours that is started again when it dies, with a client that follows it. */
export interface Launched {
  readonly client: CodexClient;
  readonly server: Pick<ServerKeeper, 'endpoint' | 'gaveUp' | 'close'>;
}

/**
 * Once the server stays dead (`gaveUp`) nobody is left to connect to: the owner closes the client.
 * @throws RelayError `provider_unavailable` when there is no Codex, or it did not start; what the connection failed with.
 */
export async function launch({ server, client: clientOptions, signal, deathLimit, onDeath }: LaunchOptions): Promise<Launched> {
  let client: CodexClient | undefined;
  const keeper = await ServerKeeper.start({
    signal,
    limit: deathLimit,
    start: (giveUp) => CodexAppServer.start({ ...server, signal: giveUp }),
    onDeath: async (why) => {
      await client?.serverDied(why);
      onDeath?.(why);
    },
  });
  try {
    client = await CodexClient.connect(keeper.endpoint, { ...clientOptions, ...(signal ? { signal } : {}) });
    return { client, server: keeper };
  } catch (error) {
    await keeper.close();
    throw error;
  }
}
