import { createECDH } from 'node:crypto';
import type { RouteName } from 'agent-relay-protocol';
import type { Random } from '../crash/seeded.ts';
import { below, pick } from './random.ts';

/** Asks as the owner, rightly; answers the body, or null when it was refused. */
export type Ask = (name: RouteName, input: Record<string, unknown>) => Promise<Record<string, unknown> | null>;

/**
 * Short chains of right calls, so that there is always something in the states that chance alone seldom reaches: held claims with their
 * fences, open pairs, running sessions. Whatever they make is remembered, and from then on anybody may do anything to it.
 */
const stories: readonly ((ask: Ask, random: Random) => Promise<unknown>)[] = [
  async (ask, random) => {
    const id = await someAgent(ask, random);
    const sent = await ask('messages/send', { to: `id:${id}`, body: 'work', claimable: true });
    return sent && ask('messages/claim', { id: sent['id'], agentId: id });
  },
  async (ask, random) => {
    const id = await someAgent(ask, random);
    const report = { title: 'disk full', target: `id:${id}`, dedupeKey: `key-${below(random, 30)}`, source: 'wide' };
    const reported = await ask('integrations/report', report);
    const task = Object(reported?.['task']) as Record<string, unknown>; // a task, or nothing
    return task['id'] === undefined ? null : ask('tasks/claim', { id: task['id'], agentId: id });
  },
  async (ask, random) => {
    const [from, target] = [await someAgent(ask, random), await someAgent(ask, random)];
    const pair = await ask('pairs/request', { from, target: `id:${target}`, objective: 'talk' });
    return pair && random() < 0.6 ? ask('pairs/accept', { id: pair['id'], agentId: target }) : null;
  },
  async (ask, random) => ask('sessions/start', { name: `spawned-${below(random, 6)}`, provider: 'fuzz', mode: 'agentic' }),
  async (ask) => ask('tokens/create', { name: 'everything', scopes: ['*'] }),
  async (ask, random) => {
    const endpoint = `http://127.0.0.1:9/push/${below(random, 30)}`;
    const keys = { p256dh: browserKey(random), auth: bytes(random, 16).toString('base64url') };
    return ask('push/subscribe', { endpoint, keys, topics: ['approvals', 'stalls', 'mail'] });
  },
  async (ask, random) => {
    const name = `hook-${below(random, 6)}`;
    const hook = { name, trigger: pick(random, ['task_failed', 'stalled', 'released']), relay: `agent-${below(random, 12)}` };
    await (random() < 0.5 ? ask('hooks/set', hook) : ask('hooks/set', { ...hook, replaces: name }));
    return random() < 0.5 ? ask('hooks/test', { name }) : ask('hooks/remove', { name });
  },
];

const bytes = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => below(random, 256)));

function browserKey(random: Random): string {
  const browser = createECDH('prime256v1');
  browser.setPrivateKey(bytes(random, 32));
  return browser.getPublicKey('base64url');
}

export const tellStory = (ask: Ask, random: Random): Promise<unknown> => pick(random, stories)(ask, random);

async function someAgent(ask: Ask, random: Random): Promise<string> {
  const id = `agent-${below(random, 12)}`;
  await ask('agents/register', { id, name: id, tags: [`group-${below(random, 4)}`], instanceId: `instance-of-${id}` });
  return id;
}
