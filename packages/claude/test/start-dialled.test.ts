import type { DialledLink, StartOptions } from 'agent-relay-provider';
import { AsyncQueue, createDuplexPair, type MessageDuplex } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { startDialled } from '../src/provider/start-dialled.ts';

interface Said {
  readonly type: string;
  readonly request_id?: string;
  readonly request?: { readonly subtype: string };
}

interface Dials {
  readonly byCode?: boolean;
  readonly lastRequestId?: string;
  /** Told what it is asked for. */
  readonly onAsked?: (subtype: string) => void;
}

/** A Claude Code that answers whatever it is asked for. */
function claudeDials({ byCode = true, lastRequestId, onAsked }: Dials = {}) {
  const [ofProvider, claude] = createDuplexPair<unknown, Said>();
  void (async () => {
    for await (const { type, request_id, request } of claude.incoming) {
      if (type !== 'control_request') continue;
      onAsked?.(request?.subtype ?? '');
      await claude.send({ type: 'control_response', response: { subtype: 'success', request_id, response: { pid: 7 } } });
    }
  })().catch(() => {});
  const headers: Record<string, string> = lastRequestId === undefined ? {} : { 'x-last-request-id': lastRequestId };
  const link: DialledLink = { duplex: ofProvider as MessageDuplex, upgrade: { url: '/claude/Lead', headers }, byCode };
  return { link, claude };
}

const unheard = { greeting: () => {}, greeted: () => {} };

const options: StartOptions & { readonly signal: AbortSignal } = {
  ...{ agentId: 'Lead', sessionId: 's1', cwd: '/', mode: 'agentic', approval: 'open', ask: true, instructions: '', mcp: [], env: {} },
  onProcess: () => {},
  signal: new AbortController().signal,
};

async function running() {
  const links = new AsyncQueue<DialledLink>({ limit: 8, overflow: 'reject' });
  const first = claudeDials();
  links.push(first.link);
  const session = await startDialled({ links, ...unheard }, options);
  const speak = async () => {
    await first.claude.send({ type: 'system', subtype: 'init', session_id: 'c1', cwd: '/srv/app' });
    await expect.poll(() => session.vendorSessionId).toBe('c1');
  };
  let isOver = false;
  void first.claude.closed.then(() => {
    isOver = true;
  });
  return { links, session, first, speak, isOver: () => isOver };
}

test('a second Claude Code with a code that is in use is turned away, and the first goes on', async () => {
  const { links, session, first, speak, isOver } = await running();
  const early = claudeDials();
  links.push(early.link);
  expect(await early.claude.closed).toMatchObject({ code: 1013 });
  await speak();
  const late = claudeDials();
  links.push(late.link);
  expect(await late.claude.closed).toMatchObject({ code: 4003, reason: 'This code has been used: its session goes on' });
  expect(isOver()).toBe(false);
  const again = claudeDials({ lastRequestId: 'u1' });
  await first.claude.close();
  links.push(again.link);
  await again.claude.send({ type: 'system', subtype: 'init', session_id: 'c2', cwd: '/srv/app' });
  await expect.poll(() => session.vendorSessionId).toBe('c2');
  await session.close();
});

test('its owner’s own second Claude Code ends the first, and comes again', async () => {
  const { links, first, speak } = await running();
  await speak();
  const second = claudeDials({ byCode: false });
  links.push(second.link);
  expect(await first.claude.closed).toMatchObject({ code: 4001 });
  expect(await second.claude.closed).toMatchObject({ code: 1013 });
});

test('a Claude Code whose link breaks before it has answered begins no session: nobody waits for it', async () => {
  const links = new AsyncQueue<DialledLink>({ limit: 8, overflow: 'reject' });
  const [ofProvider, claude] = createDuplexPair<unknown, Said>();
  links.push({ duplex: ofProvider as MessageDuplex, upgrade: { url: '/claude/Lead', headers: {} }, byCode: false });
  const starting = startDialled({ links, ...unheard }, options);
  await claude.close();
  await expect(starting).rejects.toMatchObject({ code: 'connection_closed' });
});

test('who has answered is written down before anything else is said to it', async () => {
  const order: unknown[] = [];
  const links = new AsyncQueue<DialledLink>({ limit: 8, overflow: 'reject' });
  const { link } = claudeDials({ onAsked: (subtype) => order.push(subtype) });
  links.push(link);
  const mcp = [{ name: 'agent-relay', url: 'http://127.0.0.1:1/mcp', headers: {} }];
  const greeted = (program: unknown) => order.push(program);
  const session = await startDialled({ links, greeting: () => order.push('greeting'), greeted }, { ...options, mcp });
  expect(order).toEqual([
    'greeting',
    'apply_flag_settings',
    'initialize',
    { isContinued: false, program: '7', isSame: false },
    'mcp_set_servers',
  ]);
  await session.close();
});
