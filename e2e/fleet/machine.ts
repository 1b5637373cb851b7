import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TempHome } from 'agent-relay-testing';
import { type RunningProgram, relayConnectProgram } from '../support/programs.ts';
import { type StandingInProxy, startStandingInProxy } from '../support/standing-in-proxy.ts';
import { until } from '../support/until.ts';

export interface MachineOptions {
  readonly name: string;
  readonly home: TempHome;
  readonly env: Readonly<Record<string, string>>;
  /** Its `node.yaml`. */
  readonly rules: string;
}

/** So much of what its relay-connect said last is kept. */
const KEPT_WORDS = 4_000;

/** A machine with a home of its own, on a link of its own to the relay, that was let in by its code. */
export class Machine {
  readonly name: string;
  readonly home: TempHome;
  readonly #env: NodeJS.ProcessEnv;
  readonly #link: StandingInProxy;
  #child: ChildProcess | null = null;
  #said = '';

  private constructor({ name, home, env }: MachineOptions, link: StandingInProxy) {
    this.name = name;
    this.home = home;
    this.#env = { ...home.env(), ...env };
    this.#link = link;
  }

  static async pairWith(relay: RunningProgram, options: MachineOptions): Promise<Machine> {
    const machine = new Machine(options, await startStandingInProxy(relay.url));
    const settings = join(options.home.home, '.agent-relay');
    await mkdir(settings, { recursive: true });
    await writeFile(join(settings, 'node.yaml'), options.rules);
    const pairing = machine.#connect('pair', '--url', machine.#link.url, '--name', options.name);
    let said = '';
    for (const stream of [pairing.stdout, pairing.stderr])
      stream?.on('data', (piece) => {
        said += piece;
      });
    const ended = once(pairing, 'exit');
    const code = await until('its code', () => /agent-relay nodes pair (\S+)/u.exec(said)?.[1]);
    const { code: exitCode, stderr } = await relay.run('nodes', 'pair', code);
    if (exitCode !== 0) throw new Error(`${options.name} was not let in: ${stderr}`);
    const [pairedCode] = await ended;
    if (pairedCode !== 0) throw new Error(`${options.name} did not pair: ${said}`);
    return machine;
  }

  start(): void {
    this.#child = this.#connect();
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (piece) => {
        this.#said = `${this.#said}${piece}`.slice(-KEPT_WORDS);
      });
  }

  /** The last words of its relay-connect, over all its lives. */
  get said(): string {
    return this.#said;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  cut(): void {
    this.#link.answerWith({ status: 502, contentType: 'text/plain', body: 'away' });
  }

  restore(): void {
    this.#link.passOn();
  }

  /** Whether its agents have told something that the relay has not. */
  async keepsForLater(text: string): Promise<boolean> {
    const folder = join(this.home.home, '.agent-relay', 'node', 'activity');
    const files = await readdir(folder).catch(() => []);
    const contents = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8').catch(() => '')));
    return contents.some((content) => content.includes(text));
  }

  async close(): Promise<void> {
    await this.end('SIGTERM');
    await this.#link[Symbol.asyncDispose]();
  }

  #connect(...args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [relayConnectProgram, ...args], {
      env: this.#env,
      cwd: this.home.directory,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}
