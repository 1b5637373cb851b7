import { CodexExecProvider, CodexProvider } from 'agent-relay-codex-app-server';
import type { AgentSession, Provider, ProviderAvailability, SandboxFiles, SandboxPlace, StartOptions } from 'agent-relay-provider';
import { findProgram, type VendorProgram } from 'agent-relay-provider/kit';
import { RecentMap, settlesWithin } from 'agent-relay-wire';
import { spawnProcess } from 'agent-relay-wire/node';

export interface AnyCodexProviderOptions {
  /** A name or a path. Default: `codex` from the session's `PATH`. */
  readonly command?: string;
}

const helpTimeoutMs = 15_000;

/** Codex by its app-server where the installed one has that, else by `codex exec`, a process for each prompt. */
export class AnyCodexProvider implements Provider {
  readonly id = 'codex';
  readonly name = 'Codex';
  readonly resumes = true;
  readonly #appServer: CodexProvider;
  readonly #program: VendorProgram;
  readonly #exec: CodexExecProvider;
  /** By the program's path: whether it has an app-server. */
  readonly #known = new RecentMap<string, Promise<boolean>>(16);

  constructor({ command = 'codex' }: AnyCodexProviderOptions = {}) {
    this.#appServer = new CodexProvider({ command });
    this.#exec = new CodexExecProvider({ command });
    this.#program = { name: 'Codex', command, install: 'with `npm install -g @openai/codex`' };
  }

  get environment(): readonly string[] {
    return this.#appServer.environment;
  }

  sandboxFiles(place: SandboxPlace): SandboxFiles {
    return this.#appServer.sandboxFiles(place);
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return this.#appServer.detect(env);
  }

  async start(options: StartOptions): Promise<AgentSession> {
    const { env } = options;
    if (env['CODEX_APP_SERVER']) return this.#appServer.start(options);
    const path = await findProgram(this.#program, env);
    if (await this.#hasAppServer(path, env)) return this.#appServer.start(options);
    return this.#exec.start(options);
  }

  async close(): Promise<void> {
    try {
      await this.#exec.close();
    } finally {
      await this.#appServer.close();
    }
  }

  #hasAppServer(path: string, env: Readonly<Record<string, string>>): Promise<boolean> {
    const known = this.#known.get(path) ?? knowsAppServer(path, env);
    this.#known.set(path, known);
    return known;
  }
}

async function knowsAppServer(path: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  const child = await spawnProcess({
    command: path,
    args: ['app-server', '--help'],
    env,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  try {
    return (await settlesWithin(child.exited, helpTimeoutMs)) && (await child.exited).code === 0;
  } finally {
    if (!child.hasExited) await child.kill({ graceMs: 500 });
  }
}
