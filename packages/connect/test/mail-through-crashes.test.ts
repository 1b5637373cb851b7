import { cpSync, mkdtempSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTestRelay, type TestRelay } from '../../server/src/testing.ts';
import { Api, Cable, until, World } from './link-world.ts';

/** Beyond what passes between a node and its relay while a turn ends and two messages are handed over. */
const MOST_PIECES = 60;
/** Every third moment; `EVERY_MOMENT=1` tries each. */
const STEP = process.env['EVERY_MOMENT'] === undefined ? 3 : 1;

/** A relay that can die as by a kill: the next one finds its files as they were at that moment. */
class MortalRelay {
  readonly cable: Cable;
  readonly #world: World;
  #relay: TestRelay;
  api: Api;

  private constructor(world: World, relay: TestRelay, cable: Cable) {
    this.#world = world;
    this.#relay = relay;
    this.cable = cable;
    this.api = new Api(relay.url, relay.ownerToken);
  }

  static async start(world: World): Promise<MortalRelay> {
    const relay = await startTestRelay({ databasePath: join(mkdtempSync(join(world.folder, 'relay-')), 'relay.db') });
    const cable = await Cable.to(Number(new URL(relay.url).port));
    const mortal = new MortalRelay(world, relay, cable);
    world.onClose(() => cable.close());
    world.onClose(() => mortal.#relay.close());
    return mortal;
  }

  get ownerToken(): string {
    return this.#relay.ownerToken;
  }

  async die(): Promise<void> {
    const dead = this.#relay;
    const folder = mkdtempSync(join(this.#world.folder, 'relay-'));
    // Sockets and locks are no files that a crash leaves to the next one.
    const isLeft = (path: string) => !/\.(?:sock|lock)$/u.test(path);
    cpSync(dirname(dead.databasePath), folder, { recursive: true, filter: isLeft });
    this.#relay = await startTestRelay({ databasePath: join(folder, basename(dead.databasePath)) });
    this.api = new Api(this.#relay.url, this.#relay.ownerToken);
    this.cable.port = Number(new URL(this.#relay.url).port);
    await dead.close();
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const faults = {
  'the link is cut': (relay: MortalRelay) => relay.cable.mend(),
  'the relay is killed': async (relay: MortalRelay) => {
    await relay.die();
    relay.cable.mend();
  },
};

it.each(Object.entries(faults))(
  'at whatever moment %s, waiting mail arrives once, in order, and every receipt is true',
  async (_, fault) => {
    const relay = await MortalRelay.start(world);
    await world.node(relay.cable.url, relay.ownerToken, { heartbeatMs: 60_000 });
    for (let pieces = 0; pieces < MOST_PIECES; pieces += STEP) {
      await relay.api.nodeOnline();
      const agentId = `Worker-${pieces}`;
      await relay.api.spawn(agentId);
      const { id: first } = await relay.api.send(agentId, '!drip 20');
      await until(() => expect(promptedTo(agentId)).toEqual([first]));
      relay.cable.cutAfter(pieces);
      const sent = [first];
      let hasFailed = false;
      const failIfCut = async () => {
        if (hasFailed || !relay.cable.isCut) return;
        hasFailed = true;
        await fault(relay);
      };
      for (const text of ['second', 'third']) {
        sent.push((await relay.api.send(agentId, text)).id);
        await failIfCut();
      }
      const areSeen = async () => {
        await failIfCut();
        for (const id of sent) expect(await relay.api.receipts(id)).toEqual(['seen']);
      };
      await until(areSeen);
      sent.push((await relay.api.send(agentId, 'last')).id);
      await until(areSeen);
      expect(promptedTo(agentId)).toEqual(sent);
      await until(() => failIfCut());
      relay.cable.cutAfter(Number.POSITIVE_INFINITY);
      await relay.api.call('POST', `/agents/${agentId}/release`, {});
      if (!hasFailed) return;
    }
    expect.unreachable('more passed than was thought: raise MOST_PIECES');
  },
  170_000,
);

const promptedTo = (agentId: string) =>
  world.provider.prompts.filter((prompt) => prompt.agentId === agentId).flatMap(({ messageIds }) => [...messageIds]);
