import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface StandingInProxy extends AsyncDisposable {
  readonly url: string;
  /** From now on every connection gets this answer, whatever it asks; those that are open are cut. */
  answerWith(answer: { readonly status: number; readonly contentType: string; readonly body: string }): void;
  /** Passes everything on again. */
  passOn(): void;
  /** How many requests the proxy answered itself. */
  readonly answered: number;
}

/** A proxy in front of a relay, which answers in its place while it is told that the relay is away. */
export async function startStandingInProxy(relayUrl: string): Promise<StandingInProxy> {
  const port = Number(new URL(relayUrl).port);
  const open = new Set<Socket>();
  let canned: string | null = null;
  let answered = 0;
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    if (canned !== null) {
      const text = canned;
      socket.once('data', () => {
        answered += 1;
        socket.end(text);
      });
      return;
    }
    const upstream = connect({ port, host: '127.0.0.1' });
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: ownPort } = server.address() as AddressInfo; // listens on TCP
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${ownPort}`,
    answerWith({ status, contentType, body }) {
      canned = `HTTP/1.1 ${status} Away\r\ncontent-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
      cut();
    },
    passOn() {
      canned = null;
      cut();
    },
    get answered() {
      return answered;
    },
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
