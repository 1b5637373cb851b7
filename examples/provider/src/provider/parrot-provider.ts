import type { AgentSession, Provider, ProviderAvailability, StartOptions } from 'agent-relay-provider';
import {
  detectProgram,
  findProgram,
  ownedProcess,
  ProviderSessions,
  type TrackedStart,
  type VendorProgram,
} from 'agent-relay-provider/kit';
import type { ChildHandle } from 'agent-relay-wire/node';
import { startParrot } from '../wire/parrot-process.ts';
import { ParrotSession } from './parrot-session.ts';

export interface ParrotProviderOptions {
  /** The program: a path, or a name looked up in the session's `PATH`. Default `parrot`. */
  readonly command?: string;
}

/** Parrot: one process per session. */
export class ParrotProvider implements Provider {
  readonly id = 'parrot';
  readonly #program: VendorProgram;
  readonly #sessions = new ProviderSessions<ParrotSession>('Parrot');

  constructor({ command = 'parrot' }: ParrotProviderOptions = {}) {
    this.#program = { name: 'Parrot', command, install: 'by putting parrot.mjs on the PATH as parrot' };
  }

  detect(env: Readonly<Record<string, string>>): Promise<ProviderAvailability> {
    return detectProgram(this.#program, env);
  }

  start(options: StartOptions): Promise<AgentSession> {
    return this.#sessions.start(options, (tracked) => this.#start(tracked));
  }

  close(): Promise<void> {
    return this.#sessions.close();
  }

  async #start(options: TrackedStart): Promise<ParrotSession> {
    const { cwd, env, instructions, signal, onProcess } = options;
    const command = await findProgram(this.#program, env);
    const onStart = (child: ChildHandle) => onProcess(ownedProcess(child, { purpose: 'parrot' }));
    return new ParrotSession(await startParrot({ command, cwd, env, instructions, signal, onStart }), options);
  }
}
