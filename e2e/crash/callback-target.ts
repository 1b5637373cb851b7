import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Arrival } from './history.ts';
import { choose, type Random } from './seeded.ts';

export interface CallbackTarget {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
  /** From now on every callback is answered with 200, also those that wait for an answer. */
  behave(): void;
  close(): Promise<void>;
}

/** A real listener for callbacks that answers, fails, redirects, stays silent and hangs up as `random` says. */
export async function openCallbackTarget(secret: string, random: Random): Promise<CallbackTarget> {
  const arrivals: Arrival[] = [];
  const silent = new Set<ServerResponse>();
  let isGood = false;

  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!isGood && random() < 0.03) {
      request.socket.destroy();
      return;
    }
    let body = '';
    for await (const chunk of request) body += chunk;
    const { 'idempotency-key': key, 'x-agent-relay-signature': signature } = request.headers;
    arrivals.push({ key: String(key), body, isSigned: isSigned(String(signature), body, secret) });
    switch (isGood ? 'taken' : choose(random, { taken: 80, failed: 6, redirected: 2, hungUp: 4, cutOff: 4, unanswered: 4 })) {
      case 'taken':
        response.writeHead(200).end();
        return;
      case 'failed':
        response.writeHead(503).end();
        return;
      case 'redirected':
        response.writeHead(307, { location: '/elsewhere' }).end();
        return;
      case 'hungUp':
        request.socket.destroy();
        return;
      case 'cutOff':
        response.writeHead(500, { 'content-length': '100' }).write('half of it', () => request.socket.destroy());
        return;
      case 'unanswered':
        silent.add(response);
        response.on('close', () => silent.delete(response));
    }
  };
  // A relay that is killed while it sends has sent nothing: its half request ends with an error.
  const server = createServer((request, response) => void receive(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}/hook`,
    arrivals,
    behave() {
      isGood = true;
      for (const response of silent) response.writeHead(200).end();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function isSigned(signature: string, body: string, secret: string): boolean {
  const [, seconds = '', given] = /^t=(\d+),v1=([0-9a-f]{64})$/u.exec(signature) ?? [];
  const isFresh = Math.abs(Date.now() / 1000 - Number(seconds)) < 60;
  return isFresh && given === createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}
