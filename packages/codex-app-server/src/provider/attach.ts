import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, RelayError } from 'agent-relay-protocol';
import { settlesWithin } from 'agent-relay-wire';
import { CodexClient, type CodexClientOptions } from '../app-server/codex-client.ts';
import { type CodexEndpoint, parseEndpoint } from '../app-server/endpoint.ts';

/** A server that runs already, or why there is none to join; `runtime` says which and why, for people. */
export type Attached =
  | { readonly client: CodexClient; readonly runtime: string }
  | { readonly client?: undefined; readonly runtime: string };

export interface AttachOptions {
  /** What the owner of the machine named, if anything. */
  readonly endpoint: string | CodexEndpoint | undefined;
  readonly codexHome: string;
  readonly client: CodexClientOptions;
}

/** One that is busy answers later; one that hangs must not keep its agents. */
const answerMs = 3_000;

/**
 * Joins the configured server, else the daemon that `codex` itself starts for its CODEX_HOME. Whoever joins a server does not end it.
 * @throws RelayError `provider_unavailable` when the configured server cannot be reached, `validation_failed` when what is configured is no endpoint.
 */
export async function attach({ endpoint, codexHome, client }: AttachOptions): Promise<Attached> {
  if (endpoint !== undefined) return await attachConfigured(typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint, client);
  const socketPath = join(codexHome, 'app-server-control', 'app-server-control.sock');
  const own = (why: string) => ({ runtime: `an app-server of its own: ${why}` });
  const isThere = await lstat(socketPath).then(
    () => true,
    () => false,
  );
  if (!isThere) return own('no Codex daemon runs for this CODEX_HOME');
  try {
    return { client: await connect({ transport: 'unix', socketPath }, client), runtime: 'the Codex daemon of this CODEX_HOME, which runs' };
  } catch (error) {
    client.signal?.throwIfAborted();
    return own(`the Codex daemon of this CODEX_HOME does not answer (${saidBy(error)})`);
  }
}

async function attachConfigured(endpoint: CodexEndpoint, client: CodexClientOptions): Promise<Attached> {
  const name =
    endpoint.transport === 'unix' ? `unix://${endpoint.socketPath}` : endpoint.transport === 'websocket' ? endpoint.url : 'stdio';
  try {
    return { client: await connect(endpoint, client), runtime: `the app-server at ${name}, which is configured` };
  } catch (cause) {
    client.signal?.throwIfAborted();
    throw new RelayError('provider_unavailable', `The configured Codex app-server at ${name} cannot be reached: ${saidBy(cause)}`, {
      cause,
    });
  }
}

async function connect(endpoint: CodexEndpoint, options: CodexClientOptions): Promise<CodexClient> {
  const late = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal;
  const connecting = CodexClient.connect(endpoint, { ...options, signal });
  if (!(await settlesWithin(connecting, answerMs))) {
    late.abort(new RelayError('timeout', `no answer within ${answerMs / 1000} s`));
    // One that answers after all is not kept.
    connecting.then((client) => client.close()).catch(() => {});
    throw late.signal.reason;
  }
  return await connecting;
}

const saidBy = (error: unknown): string => messageOf(error);
