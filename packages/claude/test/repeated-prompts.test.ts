import { randomUUID } from 'node:crypto';
import { agentCliPaths } from 'agent-relay-testing';
import { afterEach, expect, test } from 'vitest';
import { dialled } from './dialling.ts';

const { claude, claudeDialling } = agentCliPaths();
const ways = [
  ['2.1.120 by --sdk-url', claudeDialling, 'sdk-url'],
  ['the newest by dial', claude, 'dial'],
] as const;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

test.each(ways.filter(([, command]) => command !== undefined))(
  '%s: a prompt that waits in Claude’s queue and is sent again by another session reaches the model once, and is seen then',
  { timeout: 240_000 },
  async (_name, command = '', way) => {
    const { sessions, sockets, model, close } = await dialled(command, { way });
    cleanUps.push(close);
    await expect.poll(() => sessions.length).toBe(1);
    const [before] = sessions.splice(0);
    if (!before) throw new Error('its length was looked at');
    cleanUps.push(() => before.session.close());
    expect(before.session.isContinued).toBe(false);
    await before.session.prompt('slow 40 200');
    await before.log.waitFor('text.delta');
    const promptId = randomUUID();
    const mail = (nonce: string) => ({ text: `[msg:4] from Ada: say: got it\n[end msg:4 peer ${nonce}]`, messageIds: [4] });
    await before.session.prompt(mail('n1'), { mode: 'next', promptId });
    // Its writing and not its echo is waited for: that comes when its turn begins.
    sockets.at(-1)?.ping();
    await new Promise((resolve) => sockets.at(-1)?.once('pong', resolve));
    sockets.at(-1)?.terminate();
    await expect.poll(() => sessions.length).toBe(1);
    const { session, log } = sessions[0] as (typeof sessions)[number]; // its length was looked at
    cleanUps.push(() => session.close());
    expect(session.isContinued).toBe(true);
    await session.prompt(mail('n2'), { mode: 'next', promptId, isRepeat: true });
    await log.waitFor('input.accepted', ({ state }) => state === 'seen', { timeoutMs: 60_000 });
    const told = log.events.flatMap((event) =>
      event.type === 'turn.completed' || (event.type === 'input.accepted' && event.state === 'seen') ? [event.type] : [],
    );
    expect(told.slice(0, 2)).toEqual(['turn.completed', 'input.accepted']);
    await log.waitFor('turn.completed', ({ text }) => text === 'got it');
    await session.prompt('say: and then');
    await log.waitFor('turn.completed', ({ text }) => text === 'and then');
    const conversation = JSON.stringify(model.requests.at(-1)?.body ?? null);
    expect(conversation.split('[msg:4] from ').length - 1).toBe(1);
    expect(conversation).toContain(' n1]');
  },
);
