import { RelayError } from 'agent-relay-protocol';
import { createDuplexPair, type MessageDuplex } from 'agent-relay-wire';
import { describe, expect, test } from 'vitest';
import type { OutgoingFrame } from './outgoing.ts';
import { type BridgeEnd, bridgeStdio } from './stdio-bridge.ts';

type Link = MessageDuplex<unknown, unknown>;

/** A bridge between a CLI and links that this test holds the other ends of. `confirms` is asked for each confirmation. */
function bridged({
  confirms = async () => {},
  dials = async () => {},
  hangsUp = false,
}: {
  confirms?: () => Promise<void>;
  dials?: () => Promise<void>;
  /** Whoever is dialled closes each link at once. */
  hangsUp?: boolean;
} = {}) {
  const [cli, claude] = createDuplexPair<unknown, OutgoingFrame>();
  const told: OutgoingFrame[] = [];
  claude.onMessage?.((frame) => told.push(frame));
  const links: { far: Link; received: unknown[]; lastUuid: string | null }[] = [];
  const refused: string[] = [];
  const silences: string[] = [];
  const stopping = new AbortController();
  const end: Promise<BridgeEnd> = bridgeStdio({
    url: new URL('ws://127.0.0.1/claude/s1'),
    cli,
    dial: async (lastUuid) => {
      await dials();
      const [near, far] = createDuplexPair<unknown, unknown>();
      const received: unknown[] = [];
      far.onMessage?.((frame) => received.push(frame));
      if (hangsUp) void far.close({ code: 1011, reason: 'not now' });
      links.push({ far, received, lastUuid });
      const gone = near.closed.then(() => Promise.reject(new RelayError('connection_closed', 'gone')));
      gone.catch(() => {});
      return Object.assign(near, { confirm: () => Promise.race([confirms(), gone]) });
    },
    environment: { A: '1' },
    onRefused: ({ message }) => refused.push(message),
    onSilence: (why) => silences.push(why),
    signal: stopping.signal,
    firstPauseMs: 1,
    giveUpMs: 200,
  });
  const link = async (number: number) => {
    await expect.poll(() => links.length).toBeGreaterThan(number);
    return links[number] as (typeof links)[number]; // its length was looked at
  };
  return { claude, told, link, links, refused, silences, end, stop: () => stopping.abort() };
}

const said = (name: string) => ({ type: 'assistant', uuid: name });
const asked = (name: string) => ({ type: 'control_request', request_id: name, request: { subtype: 'can_use_tool' } });

describe('a CLI on stdio that looks like one that dials', () => {
  test('says what was said during an outage on the next link, after what it repeats', async () => {
    const { claude, link, end, stop } = bridged();
    const one = await link(0);
    await claude.send(said('a'));
    await claude.send(asked('r1'));
    await expect.poll(() => one.received).toEqual([said('a'), asked('r1')]);
    await one.far.close({ code: 1006 });
    await claude.send(asked('r2'));
    await claude.send(said('b'));
    const two = await link(1);
    await expect.poll(() => two.received).toEqual([said('a'), asked('r2'), said('b')]);
    expect([one.lastUuid, ['a', 'b'].includes(two.lastUuid ?? '')]).toEqual([null, true]);
    stop();
    expect(await end).toEqual({ by: 'signal' });
  });

  test('says again whatever the other side has not confirmed', async () => {
    const { claude, link, stop, end } = bridged({ confirms: () => new Promise(() => {}) });
    const one = await link(0);
    await claude.send(asked('r1'));
    await expect.poll(() => one.received).toEqual([asked('r1')]);
    void one.far.close({ code: 1006 });
    await expect.poll(async () => (await link(1)).received).toEqual([asked('r1')]);
    stop();
    expect(await end).toEqual({ by: 'signal' });
  });

  test('a confirmation holds for what was sent before it was asked for', async () => {
    const asking: (() => void)[] = [];
    const { claude, link, stop, end } = bridged({ confirms: () => new Promise((resolve) => asking.push(resolve)) });
    const one = await link(0);
    await claude.send(asked('r1'));
    await expect.poll(() => asking).toHaveLength(1);
    await claude.send(asked('r2'));
    await expect.poll(() => one.received).toEqual([asked('r1'), asked('r2')]);
    asking[0]?.();
    await expect.poll(() => asking).toHaveLength(2);
    void one.far.close({ code: 1006 });
    await expect.poll(async () => (await link(1)).received).toEqual([asked('r2')]);
    stop();
    expect(await end).toEqual({ by: 'signal' });
  });

  test.each([1002, 4001, 4003])('is ended for good by %i', async (code) => {
    const { link, end } = bridged();
    await (await link(0)).far.close({ code, reason: 'enough' });
    expect(await end).toEqual({ by: 'peer', closed: { code, reason: 'enough' } });
  });

  test('is ended by a refusal, and by nobody who answers, but not by one failed dial', async () => {
    const refuse = new RelayError('unauthorized', 'no');
    expect(await bridged({ dials: () => Promise.reject(refuse) }).end).toEqual({ by: 'refusal', error: refuse });
    expect(await bridged({ dials: () => Promise.reject(new RelayError('connection_closed', 'down')) }).end).toEqual({
      by: 'silence',
      why: 'down',
    });
    let failures = 2;
    const again = bridged({
      dials: () => (failures-- > 0 ? Promise.reject(new RelayError('connection_closed', 'down')) : Promise.resolve()),
    });
    await again.link(0);
    again.stop();
  });

  test('gives up whoever takes each link and says nothing, in words, after ever longer pauses', async () => {
    const { end, links, silences } = bridged({ hangsUp: true });
    const why = 'the link was closed before a word was said: not now';
    expect(await end).toEqual({ by: 'silence', why });
    expect(silences).toEqual([why]);
    expect(links.length).toBeLessThan(15);
  });

  test('whoever was heard and dropped the link has all of that time again, and a new silence is told again', async () => {
    let isDown = false;
    const { link, silences, end, stop } = bridged({
      dials: () => (isDown ? Promise.reject(new RelayError('connection_closed', 'down')) : Promise.resolve()),
    });
    for (const number of [0, 1]) {
      isDown = false;
      const { far } = await link(number);
      await far.send({ type: 'control_request', request_id: 'i', request: { subtype: 'initialize' } });
      isDown = true;
      await far.close({ code: 1006 });
      await expect.poll(() => silences).toHaveLength(number + 1);
    }
    stop();
    expect(await end).toEqual({ by: 'signal' });
  });

  test('has said everything before its end is told', async () => {
    const { claude, link, end } = bridged();
    const one = await link(0);
    await claude.send(said('last'));
    await claude.close();
    expect(await end).toEqual({ by: 'cli' });
    expect(one.received).toEqual([said('last')]);
  });

  test('hears only what may be said to it, and whoever asked for more is told', async () => {
    const { told, link, refused, stop } = bridged();
    const { far, received } = await link(0);
    const environment = (variables: object) => ({ type: 'update_environment_variables', variables });
    for (const frame of [environment({ A: '1' }), environment({ A: '2' }), { ...asked('q'), request: { subtype: 'read_file' } }])
      await far.send(frame);
    await far.send({ type: 'control_request', request_id: 'i', request: { subtype: 'initialize', systemPrompt: 'obey' } });
    await expect.poll(() => told).toEqual([{ type: 'control_request', request_id: 'i', request: { subtype: 'initialize' } }]);
    await expect.poll(() => received).toMatchObject([{ response: { subtype: 'error', request_id: 'q', error: refused[1] } }]);
    expect(refused).toHaveLength(2);
    stop();
  });
});
