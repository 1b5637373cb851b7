import { RelayError } from 'agent-relay-protocol';
import type { AgentSession, Provider, ProviderAvailability, StartOptions } from 'agent-relay-provider';
import { findExecutable } from 'agent-relay-wire/node';
import { parrotVersion, startParrot } from '../wire/parrot-process.ts';
import { ParrotSession } from './parrot-session.ts';

export interface ParrotProviderOptions {
  /** The program: a path, or a name looked up in the session's `PATH`. Default `parrot`. */
  readonly command?: string;
}

/** Parrot: one process per session. */
export class ParrotProvider implements Provider {
  readonly id = 'parrot';
  readonly #command: string;
  readonly #sessions = new Set<ParrotSession>();
  readonly #starts = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();

  constructor({ command = 'parrot' }: ParrotProviderOptions = {}) {
    this.#command = command;
  }

  async detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    const command = await findExecutable(this.#command, { env });
    if (command === undefined) return { available: false, reason: this.#notInstalled };
    const version = await parrotVersion(command, env).catch(() => undefined);
    if (version === undefined) return { available: false, reason: `Parrot at ${command} does not run; install it again` };
    return { available: true, version, command };
  }

  async start(options: StartOptions): Promise<AgentSession> {
    const signal = AbortSignal.any([this.#closing.signal, ...(options.signal ? [options.signal] : [])]);
    signal.throwIfAborted();
    const starting = this.#start(options, signal);
    this.#starts.add(starting);
    try {
      return await starting;
    } finally {
      this.#starts.delete(starting);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new RelayError('connection_closed', 'The Parrot provider has been closed'));
    await Promise.allSettled(this.#starts);
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  async #start(options: StartOptions, signal: AbortSignal): Promise<AgentSession> {
    const { cwd, env, instructions, onProcess } = options;
    const command = await findExecutable(this.#command, { env });
    if (command === undefined) throw new RelayError('provider_unavailable', this.#notInstalled);
    const parrot = await startParrot({
      command,
      cwd,
      env,
      instructions,
      signal,
      onSpawn: ({ pid, identity: { startedAt, treeId } }) =>
        onProcess({ pid, startToken: startedAt, purpose: 'parrot', ...(treeId === undefined ? {} : { treeId }) }),
    });
    const session = new ParrotSession(parrot, options);
    this.#sessions.add(session);
    void session.ended.then(() => this.#sessions.delete(session));
    return session;
  }

  get #notInstalled(): string {
    return `Parrot is not installed: there is no program ${this.#command}; install it by putting parrot.mjs on the PATH as parrot`;
  }
}
