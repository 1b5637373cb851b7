import { type Pair, RelayError } from 'agent-relay-protocol';
import { sleep } from 'agent-relay-wire';
import type { PairHistories, PairStep, Saying } from './history.ts';
import { type Access, Persistent, RETRY_MS } from './persistent.ts';
import { choose, type Random } from './seeded.ts';

export interface PairWorkload {
  readonly counts: () => { readonly pairs: number; readonly sayings: number; readonly leavings: number };
  /** Stops making work and hands over what the agents saw. */
  finish(): Promise<PairHistories>;
}

/** Agents that invite each other, accept, decline, talk, hang up, and now and then go offline or are replaced by a newer session of themselves. */
export async function startPairWorkload(options: Access & { readonly agents: number; readonly random: Random }): Promise<PairWorkload> {
  const { agents, random } = options;
  const access = { url: options.url, token: options.token };
  const seen: Seen = { steps: [], sayings: [] };
  let isRunning = true;
  const control = new Persistent(access);
  const names = Array.from({ length: agents }, (_, index) => `talker${index}`);
  for (const name of names) await control.call('agents/register', { name, instanceId: `${name}-0` });

  const run = async (name: string) => {
    const client = new Persistent(access);
    const talker = new Talker(client, name, names, random, seen);
    for (let turn = 0; isRunning; turn += 1) await talker.take(turn);
    await client.stop();
  };

  const count = (wanted: PairStep['step']) => seen.steps.filter(({ step }) => step === wanted).length;
  const loops = Promise.all(names.map(run));
  loops.catch(() => {}); // told by finish()
  return {
    counts: () => ({ pairs: count('accepted'), sayings: seen.sayings.length, leavings: count('left') }),
    async finish() {
      isRunning = false;
      await loops;
      const left: Pair[] = [];
      for (const id of new Set(seen.steps.map(({ pairId }) => pairId))) {
        const pair = await find(control, id);
        if (pair) left.push(pair);
      }
      await control.stop();
      return { ...seen, left };
    },
  };
}

interface Seen {
  readonly steps: PairStep[];
  readonly sayings: Saying[];
}

/** One agent; a turn is one thing that it does, whatever it finds. */
class Talker {
  readonly #client: Persistent;
  readonly #name: string;
  readonly #others: readonly string[];
  readonly #random: Random;
  readonly #seen: Seen;

  constructor(client: Persistent, name: string, names: readonly string[], random: Random, seen: Seen) {
    this.#client = client;
    this.#name = name;
    this.#others = names.filter((other) => other !== name);
    this.#random = random;
    this.#seen = seen;
  }

  async take(turn: number): Promise<void> {
    const { data } = await this.#client.call<{ data: Pair[] }>('pairs/list', { agent: this.#name, limit: 1 });
    const [pair] = data;
    if (pair?.status === 'active') await this.#live(pair, turn);
    else if (pair?.status === 'pending' && pair.target === this.#name) await this.#answer(pair);
    else if (pair?.status === 'pending') await this.#wait(pair);
    else await this.#invite();
  }

  async #invite(): Promise<void> {
    const target = `id:${this.#others[Math.floor(this.#random() * this.#others.length)]}`;
    this.#did('requested', await this.#client.attempt<Pair>('pairs/request', { from: this.#name, target, objective: 'the build' }));
  }

  async #answer(pair: Pair): Promise<void> {
    if (this.#random() < 0.9) this.#did('accepted', await this.#say('accept', pair));
    else await this.#say('reject', pair);
  }

  async #wait(pair: Pair): Promise<void> {
    if (this.#random() < 0.05) this.#did('ended', await this.#say('hangup', pair));
    else await sleep(RETRY_MS);
  }

  async #live(pair: Pair, turn: number): Promise<void> {
    const from = this.#name;
    switch (choose(this.#random, { talk: 88, hangUp: 6, goesAway: 3, isReplaced: 3 })) {
      case 'talk': {
        const message = { id: pair.id, from, body: `${from} ${turn}`, idempotencyKey: `${from}-${turn}` };
        const said = await this.#client.attempt<{ id: number }>('pairs/send', message);
        if (said) this.#seen.sayings.push({ pairId: pair.id, from, id: said.id, turn });
        return;
      }
      case 'hangUp':
        this.#did('ended', await this.#say('hangup', pair));
        return;
      case 'goesAway':
        await this.#client.call('agents/status', { id: from, status: 'offline' });
        this.#did('left', pair);
        await this.#client.call('agents/status', { id: from, status: 'online' });
        return;
      case 'isReplaced':
        await this.#client.call('agents/register', { name: from, instanceId: `${from}-again-${turn}` });
    }
  }

  #say(verb: 'accept' | 'reject' | 'hangup', { id }: Pair): Promise<Pair | null> {
    return this.#client.attempt<Pair>(`pairs/${verb}`, { id, agentId: this.#name });
  }

  #did(step: PairStep['step'], pair: Pair | null): void {
    if (pair) this.#seen.steps.push({ step, pairId: pair.id, agentId: this.#name });
  }
}

async function find(control: Persistent, id: number): Promise<Pair | null> {
  try {
    return await control.call<Pair>('pairs/get', { id });
  } catch (error) {
    if (error instanceof RelayError && error.code === 'not_found') return null;
    throw error;
  }
}
