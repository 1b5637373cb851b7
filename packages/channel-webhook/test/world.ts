import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { freePort } from 'agent-relay-testing';
import { silentLog } from 'agent-relay-wire';
import { isSigned, SIGNATURE_HEADER, signBody } from 'agent-relay-wire/node';
import type { WebhookOptions } from '../src/start-options.ts';
import { startWebhookChannel } from '../src/webhook-channel.ts';

export const secret = 'a secret of enough characters';

export interface Delivery {
  readonly key: string;
  readonly isSigned: boolean;
  readonly conversationId: string;
  readonly replyToExternalId: string | null;
  readonly message: { readonly id: number; readonly from: string; readonly body: string };
}

/** What the outside does with a post: answers it, or takes it and drops the line. */
export type Reaction = { readonly status: number; readonly headers?: Record<string, string>; readonly body?: unknown } | 'drop';

/** A program outside that takes answers. */
export async function startOutside(react: (delivery: Delivery, count: number) => Reaction = () => ({ status: 204 })) {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const signature = String(request.headers[SIGNATURE_HEADER]);
      const signed = isSigned({ body, signature, key: secret, now: Date.now() });
      const delivery: Delivery = { ...JSON.parse(body), key: String(request.headers['idempotency-key']), isSigned: signed };
      deliveries.push(delivery);
      const reaction = react(delivery, deliveries.length);
      if (reaction === 'drop') request.socket.destroy();
      else response.writeHead(reaction.status, reaction.headers).end(JSON.stringify(reaction.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/`, deliveries, [Symbol.asyncDispose]: close };
}

/** A relay that can be stopped and started on its database, and channels of it. */
export async function startWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'agent-relay-webhook-'));
  const settings = { PORT: String(await freePort()) };
  const start = () => startTestRelay({ databasePath: join(folder, 'relay.db'), settings });
  let server = await start();
  const { url, ownerToken } = server;
  const relay = createNodeRelayClient({ url, token: ownerToken, transport: 'socket' });
  const openChannel = (more: Partial<WebhookOptions> = {}) =>
    startWebhookChannel({
      relay,
      id: 'shop',
      secret,
      host: '127.0.0.1',
      port: 0,
      deliverTo: null,
      log: silentLog,
      clock: Date,
      random: Math.random,
      signal: new AbortController().signal,
      ...more,
    });
  return {
    relay,
    url,
    ownerToken,
    openChannel,
    stopRelay: () => server.close(),
    startRelay: async () => {
      server = await start();
    },
    receipt: async (id: number) => {
      const [delivery] = (await relay.messages.deliveries({ id })).data;
      return delivery && [delivery.state, delivery.reason];
    },
    async [Symbol.asyncDispose]() {
      await relay.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export const mail = (externalId: string, more: object = {}) => ({
  conversationId: 'order-17',
  externalId,
  body: 'Where is it?',
  sender: { id: 'c1', name: 'Ann' },
  ...more,
});

interface Answer {
  readonly created: boolean;
  readonly messageIds: readonly number[];
  readonly error?: { readonly code: string; readonly issues?: readonly { readonly path: string }[] };
}

/** Posts as a program outside does; `signature: null` sends none. */
export async function post(url: string, content: unknown, more: { readonly signature?: string | null; readonly at?: number } = {}) {
  const body = typeof content === 'string' ? content : JSON.stringify(content);
  const signature = more.signature === undefined ? signBody(body, secret, more.at ?? Date.now()) : more.signature;
  const response = await fetch(url, { method: 'POST', body, headers: signature === null ? {} : { [SIGNATURE_HEADER]: signature } });
  const answer = (await response.json()) as Answer; // asserted by what follows
  return { status: response.status, code: answer.error?.code, ...answer };
}

export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const startedAt = Date.now();
  while (!(await isSo())) {
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > 60_000) throw new Error(`Waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(10, waitedMs / 10), 100)));
  }
}
