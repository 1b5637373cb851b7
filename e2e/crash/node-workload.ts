import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Delivery, Session } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import type { LedgerLine, NodeHistories, SentToHosted } from './history.ts';
import { type Access, Persistent, RETRY_MS } from './persistent.ts';
import type { Random } from './seeded.ts';

const program = fileURLToPath(new URL('./node-program.ts', import.meta.url));
/** For an agent to have read what it was sent, on a machine that is busy with the rest of the run. */
const SETTLE_MS = 60_000;

export interface NodeWorkload {
  readonly counts: () => { readonly toHosted: number; readonly nodeKills: number };
  /** Kills the node, and with it its agents, and starts both again. */
  kill(): Promise<void>;
  /** Stops sending, lets the agents read what waits for them, and hands over what was sent and read. */
  finish(): Promise<NodeHistories>;
}

export interface NodeWorkloadOptions extends Access {
  readonly folder: string;
  readonly agents: number;
  readonly random: Random;
}

/** A machine with agents that write down what they read, and somebody who writes to them. */
export async function startNodeWorkload({ url, token, folder, agents, random }: NodeWorkloadOptions): Promise<NodeWorkload> {
  const machine = await Machine.open(folder, url, token);
  const control = new Persistent({ url, token });
  const names = Array.from({ length: agents }, (_, index) => `clerk${index}`);
  const sends: SentToHosted[] = [];
  let isRunning = true;
  let kills = 0;

  /** Of an agent that may be none yet: of one that nobody has registered nothing can be listed. */
  const newestSession = async (agent: string): Promise<Session | null> => {
    const { data } = await control.call<{ data: Session[] }>('sessions/list', { limit: 500 });
    return data.find(({ agentId }) => agentId === agent) ?? null;
  };
  /** A new session, though an answer was lost or the relay does not know yet that the one before is over. */
  const begin = async (agent: string): Promise<void> => {
    const cwd = join(folder, agent);
    await mkdir(cwd, { recursive: true });
    const before = await newestSession(agent);
    for (;;) {
      await control.attempt('sessions/start', { provider: 'clerk', name: agent, cwd }).catch(() => null);
      const newest = await newestSession(agent);
      if (newest?.status === 'running' && newest.sessionId !== before?.sessionId) return;
      await sleep(RETRY_MS * 10);
    }
  };
  const beginAll = async () => {
    for (const name of names) await begin(name);
  };
  const write = async () => {
    const client = new Persistent({ url, token });
    for (let turn = 0; isRunning; turn += 1) {
      const agent = names[turn % names.length] ?? '';
      const { id } = await client.call<{ id: number }>('messages/send', {
        to: `id:${agent}`,
        body: `for ${agent}`,
        idempotencyKey: `hosted-${turn}`,
      });
      sends.push({ agent, id });
      await sleep(random() * 60);
    }
    await client.stop();
  };

  await beginAll();
  const writing = write();
  writing.catch(() => {}); // told by finish()
  const isSeen = async (id: number) => {
    const { data } = await control.call<{ data: Delivery[] }>('messages/deliveries', { id });
    return data.every(({ state }) => state === 'seen');
  };
  return {
    counts: () => ({ toHosted: sends.length, nodeKills: kills }),
    async kill() {
      kills += 1;
      await machine.kill();
      machine.start();
      await beginAll();
    },
    async finish() {
      isRunning = false;
      await writing;
      const unseen = new Set(sends);
      for (const deadline = Date.now() + SETTLE_MS; unseen.size > 0 && Date.now() < deadline; ) {
        for (const sent of unseen) if (await isSeen(sent.id)) unseen.delete(sent);
        if (unseen.size > 0) await sleep(RETRY_MS * 10);
      }
      await machine.kill();
      await control.stop();
      return { sends, unseen: [...unseen], ledger: await machine.ledger() };
    },
  };
}

/** `relay-connect` in a process of its own, over one state folder. */
class Machine {
  readonly #args: readonly string[];
  readonly #ledger: string;
  #kill: () => Promise<void> = async () => {};

  private constructor(args: readonly string[], ledger: string) {
    this.#args = args;
    this.#ledger = ledger;
    this.start();
  }

  static async open(folder: string, url: string, token: string): Promise<Machine> {
    const tokenFile = join(folder, 'node-token');
    await writeFile(tokenFile, token, { mode: 0o600 });
    const ledger = join(folder, 'ledger.jsonl');
    const httpUrl = url.replace(/^ws/u, 'http').replace(/\/ws$/u, '');
    const options = ['--url', httpUrl, '--token-file', tokenFile, '--name', 'office', '--state-dir', join(folder, 'node')];
    return new Machine([program, ledger, ...options, '--allow-folder', folder, '--log-level', 'error'], ledger);
  }

  start(): void {
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'inherit', 'inherit'] });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#kill = async () => {
      child.kill('SIGKILL');
      await exited;
    };
  }

  kill(): Promise<void> {
    return this.#kill();
  }

  async ledger(): Promise<readonly LedgerLine[]> {
    const text = await readFile(this.#ledger, 'utf8');
    // Lines that `ClerkProvider` wrote.
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LedgerLine]));
  }
}
