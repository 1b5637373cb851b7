import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RelayError } from 'agent-relay-protocol';
import type { OwnedProcess } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import { storedMessages } from '../src/app-server/stored-messages.ts';
import { ThreadHistory } from '../src/app-server/thread-history.ts';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { type CodexBench, codexBench, codexVersions } from './harness.ts';

const letter = (nonce: string) => `[msg:7] from owner: say: letter\n[end msg:7 owner ${nonce}]`;

describe.each(codexVersions)('mail of which a Codex %s had stored the one half when it was killed', { timeout: 240_000 }, (_, command) => {
  let bench: CodexBench;
  let provider: CodexProvider;
  let processes: OwnedProcess[];

  beforeEach(async () => {
    bench = await codexBench(command);
    processes = [];
    provider = new CodexProvider({ command: bench.command });
  });

  afterEach(async () => {
    await provider.close();
    await bench[Symbol.asyncDispose]();
  });

  const start = async (conversation?: string) => {
    const session = await provider.start({
      ...{ agentId: 'agent', sessionId: 'session', cwd: bench.home.workFolder, mode: 'agentic', approval: 'open', instructions: '' },
      ...{ mcp: [], env: bench.env, onProcess: (owned: OwnedProcess) => processes.push(owned) },
      ...(conversation === undefined ? {} : { resume: conversation }),
    });
    const log = new EventLog(session);
    const receipts = () => log.ofType('input.accepted').map(({ messageId, state }) => [messageId, state]);
    return { session, log, receipts };
  };
  const stored = (): string => {
    const sessions = join(bench.home.codexHome, 'sessions');
    const [file = ''] = readdirSync(sessions, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.jsonl'));
    return join(sessions, file);
  };
  /** What a kill between the two writes leaves: the letter as the model reads it, and nothing after that. */
  const cut = () => {
    const lines = readFileSync(stored(), 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes('"response_item"') && line.includes('[msg:7]'));
    expect(at).toBeGreaterThan(0);
    writeFileSync(stored(), `${lines.slice(0, at + 1).join('\n')}\n`);
    // The lists are made of the conversation.
    for (const name of readdirSync(bench.home.codexHome)) if (name.startsWith('thread_history')) rmSync(join(bench.home.codexHome, name));
  };
  /** The letter, in a conversation whose session is over. */
  const said = async () => {
    const promptId = randomUUID();
    const { session, log } = await start();
    await session.prompt({ text: letter('one'), messageIds: [7] }, { mode: 'next', promptId });
    await log.waitForTurnEnd();
    const conversation = session.vendorSessionId ?? '';
    await provider.close();
    return { promptId, conversation };
  };
  /** How often the model is told of it. */
  const timesRead = () => JSON.stringify(bench.model.requests.at(-1)?.model?.conversation).split('[msg:7] from owner').length - 1;

  test('is not said again by the session that goes on with the conversation, and what comes next is read with it', async () => {
    const { promptId, conversation } = await said();
    cut();

    provider = new CodexProvider({ command: bench.command });
    const again = await start(conversation);
    await again.session.prompt({ text: letter('two'), messageIds: [7] }, { mode: 'next', promptId, isRepeat: true });
    await expect.poll(again.receipts).toEqual([[7, 'delivered']]);
    expect(again.log.ofType('turn.started')).toEqual([]);
    await again.session.prompt({ text: 'say: next', messageIds: [] }, { mode: 'next' });
    await again.log.waitFor('text.completed', ({ text }) => text === 'next');
    expect(timesRead()).toBe(1);
  });

  test('is found by its words where a server that died is looked into, and only by these', async () => {
    const { promptId, conversation } = await said();
    const inFile = async () => (await storedMessages(stored())).filter((message) => message.text === letter('one'));
    expect(await inFile()).toMatchObject([{ clientId: `relay-${promptId}`, wasRead: true }]);
    cut();
    expect(await inFile()).toMatchObject([{ clientId: undefined, wasRead: false }]);

    await using server = await CodexAppServer.start({ command, env: bench.env });
    await using client = await CodexClient.connect(server.endpoint, { clientInfo: { name: 'test', version: '1' } });
    const history = new ThreadHistory(client, () => conversation);
    const found = (text?: string) => history.messages(new Map([[`relay-${promptId}`, text]]));
    const known = { type: 'userMessage', clientId: `relay-${promptId}`, content: [{ text: letter('one') }] };
    expect(await found(letter('two'))).toMatchObject(new Map([[`relay-${promptId}`, { turnId: expect.any(String), item: { known } }]]));
    expect([await found(), await found(letter('two').replace('letter', 'another'))]).toEqual([new Map(), new Map()]);
    expect(await history.turnOfMessage(`relay-${promptId}`, { text: letter('two') })).toMatch(/^[\da-f-]{36}$/u);
  });
});

test('nothing is known of mail while the connection is lost on which it is looked for', async () => {
  const lost = new RelayError('connection_closed', 'lost');
  const client = {
    isExperimental: false,
    ask: async (schema: { parse(value: unknown): unknown }, method: string) => {
      if (method === 'thread/read') throw lost;
      return schema.parse({ data: [] });
    },
  };
  const history = new ThreadHistory(client as unknown as CodexClient, () => 't'); // all that it asks of one here
  await expect(history.messages(new Map([['relay-a', letter('one')]]))).rejects.toBe(lost);
  await expect(history.turnOfMessage('relay-a', { text: letter('one') })).rejects.toBe(lost);
});
