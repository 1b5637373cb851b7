import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./racer-program.ts', import.meta.url));

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: object;
}

/** What one process does: its calls, so many at a time, from the moment `startAt` on. */
export interface Plan {
  readonly url: string;
  readonly calls: readonly Call[];
  readonly inFlight: number;
  readonly startAt: number;
  /** As long as this agent holds the work, a call is made again. */
  readonly gone?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly error?: { readonly code: string; readonly details?: Readonly<Record<string, unknown>> };
}

/** A client in a process of its own. */
class Racer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    this.#child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (!this.#child.stdout) throw new Error('its output is a pipe');
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async run(plan: Plan): Promise<readonly Answer[]> {
    this.#child.stdin?.write(`${JSON.stringify(plan)}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('a racer ended before it had answered');
    return JSON.parse(value);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}

/** Several clients that start at the same moment. */
export class Racers implements AsyncDisposable {
  readonly #racers: Racer[];

  constructor(size: number) {
    this.#racers = Array.from({ length: size }, () => new Racer());
  }

  /** Deals the calls out to the processes that are left; answers by process. */
  race(
    url: string,
    calls: readonly Call[],
    { inFlight = calls.length, gone }: Partial<Plan> = {},
  ): Promise<readonly (readonly Answer[])[]> {
    // Time enough for processes that are still starting; one that comes late only races less.
    const startAt = Date.now() + 300;
    const size = this.#racers.length;
    return Promise.all(
      this.#racers.map((racer, index) => racer.run({ url, calls: calls.filter((_, at) => at % size === index), inFlight, startAt, gone })),
    );
  }

  /** Ends one process with SIGKILL. */
  async kill(index: number): Promise<void> {
    await Promise.all(this.#racers.splice(index, 1).map((racer) => racer.kill()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#racers.map((racer) => racer.kill()));
  }
}
