import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EventLog } from 'agent-relay-provider/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodexAppServer } from '../src/app-server/codex-app-server.ts';
import { CodexClient } from '../src/app-server/codex-client.ts';
import type { CodexThread } from '../src/app-server/codex-thread.ts';
import { parseNotification } from '../src/app-server/notifications.ts';
import { ThreadHistory } from '../src/app-server/thread-history.ts';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { type CodexBench, codexBench, codexVersions } from './harness.ts';

const clientInfo = { name: 'test', version: '1' };

describe.each(codexVersions)(
  'mail that a killed relay-connect had handed to a conversation of somebody else’s Codex %s',
  (_version, command) => {
    let bench: CodexBench;
    let server: CodexAppServer;
    let provider: CodexProvider;
    let promptId: string;

    beforeEach(async () => {
      bench = await codexBench(command);
      server = await CodexAppServer.start({ command, env: bench.env });
      provider = new CodexProvider({ command, endpoint: server.endpoint });
      promptId = randomUUID();
    });

    afterEach(async () => {
      await provider.close();
      await server.close();
      await bench[Symbol.asyncDispose]();
    });

    /** As a process leaves it that was killed: the conversation stays in the server, with what was said in it. */
    const leftBehind = async (say: (thread: CodexThread, client: CodexClient) => Promise<void>): Promise<string> => {
      const client = await CodexClient.connect(server.endpoint, { clientInfo });
      const thread = await client.startThread({ cwd: bench.home.workFolder, approvalPolicy: 'never', sandbox: 'danger-full-access' });
      await say(thread, client);
      await client.close();
      return thread.id;
    };
    const handed = (text: string) => ({ text, clientUserMessageId: `relay-${promptId}` });

    /** Another session of the agent, which does not go on with that conversation, is offered the mail again. */
    const fresh = async () => {
      const session = await provider.start({
        ...{ agentId: 'agent', sessionId: 'session', cwd: bench.home.workFolder, mode: 'agentic', approval: 'open', instructions: '' },
        ...{ mcp: [], env: bench.env, onProcess: () => {} },
      });
      const log = new EventLog(session);
      const offer = (text: string, conversation: string) =>
        session.prompt({ text, messageIds: [7] }, { mode: 'next', promptId, isRepeat: true, handedTo: [conversation] });
      const receipts = () => log.ofType('input.accepted').map(({ messageId, state, evidence }) => [messageId, state, evidence]);
      return { log, offer, receipts };
    };
    const seen = [
      [7, 'delivered', 'echo'],
      [7, 'seen', 'turn'],
    ];

    test('is not read again by a fresh session where it was read there, and that is told', async () => {
      const conversation = await leftBehind(async (thread) => {
        await thread.startTurn(handed('say: read'));
        for await (const { method } of thread.notifications) if (method === 'turn/completed') break;
      });
      const { log, offer, receipts } = await fresh();
      await offer('say: read', conversation);
      await expect.poll(receipts).toEqual(seen);
      expect(log.ofType('turn.started')).toEqual([]);
    });

    test('waits while a turn runs there that may still read it', async () => {
      const conversation = await leftBehind(async (thread) => {
        await thread.startTurn({
          text: 'run command: until [ -e go ]; do sleep 0.1; done && then say: over',
          clientUserMessageId: 'before',
        });
        for await (const notification of thread.notifications) {
          const known = parseNotification(notification);
          if (known?.method === 'item/started' && known.params.item.type === 'commandExecution') break;
        }
        await thread.startTurn(handed('say: joined'));
      });
      const { log, offer, receipts } = await fresh();
      await expect(offer('say: joined', conversation)).rejects.toMatchObject({
        code: 'provider_unavailable',
        message: expect.stringContaining('nobody knows whether it is read there'),
      });
      await writeFile(join(bench.home.workFolder, 'go'), '');
      await expect
        .poll(
          () =>
            offer('say: joined', conversation).then(
              () => true,
              () => false,
            ),
          { timeout: 60_000 },
        )
        .toBe(true);
      await expect.poll(() => receipts()[0]).toEqual(seen[0]);
      expect(log.ofType('turn.started')).toEqual([]);
    });

    test('is taken out of the queue there and read by the fresh session alone', async () => {
      const conversation = await leftBehind(async (thread) => {
        await thread.startTurn({ text: 'slow 60 50', clientUserMessageId: 'before' });
        await thread.enqueue(handed('say: queued'));
      });
      const { log, offer, receipts } = await fresh();
      await offer('say: queued', conversation);
      await log.waitFor('text.completed', ({ text }) => text === 'queued');
      await expect.poll(receipts).toEqual(seen);
      await using client = await CodexClient.connect(server.endpoint, { clientInfo });
      const history = new ThreadHistory(client, () => conversation);
      await expect.poll(async () => (await history.turns()).map(({ status }) => status), { timeout: 60_000 }).toEqual(['completed']);
      expect([await history.queue(), await history.findMessage(`relay-${promptId}`)]).toEqual([[], undefined]);
    });

    test('is read by the fresh session where it never arrived there', async () => {
      const { log, offer, receipts } = await fresh();
      await offer('say: arrived', await leftBehind(async () => {}));
      await log.waitFor('text.completed', ({ text }) => text === 'arrived');
      await expect.poll(receipts).toEqual(seen);
    });
  },
);
