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

  /** Resolves once it could begin. */
  async ready(): Promise<void> {
    await this.#next();
  }

  async run(plan: Plan): Promise<readonly Answer[]> {
    this.#child.stdin?.write(`${JSON.stringify(plan)}\n`);
    return JSON.parse(await this.#next());
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('a racer ended before it had answered');
    return value;
  }
}

/** Several clients that start at the same moment. */
export class Racers implements AsyncDisposable {
  readonly #racers: Racer[];

  private constructor(racers: Racer[]) {
    this.#racers = racers;
  }

  /** Resolves once all of them are there: one that comes late would race for what others have let go of. */
  static async start(size: number): Promise<Racers> {
    const racers = Array.from({ length: size }, () => new Racer());
    await Promise.all(racers.map((racer) => racer.ready()));
    return new Racers(racers);
  }

  /** Deals the calls out to the processes that are left; answers by process. */
  race(
    url: string,
    calls: readonly Call[],
    { inFlight = calls.length, gone }: Partial<Plan> = {},
  ): Promise<readonly (readonly Answer[])[]> {
    // Time enough for each to read what it has to do.
    const startAt = Date.now() + 100;
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
