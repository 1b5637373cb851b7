import { realpath } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a unix socket, so that a test can cut the line while the server lives on. */
export interface CuttableProxy extends AsyncDisposable {
  readonly socketPath: string;
  cut(): void;
}

export async function startCuttableProxy(target: string, socketPath: string): Promise<CuttableProxy> {
  const upstream = await realpath(target);
  const sockets = new Set<Socket>();
  const server = createServer((downstream) => {
    const onward = connect(upstream);
    for (const socket of [downstream, onward]) {
      sockets.add(socket);
      socket.on('error', () => {}); // a cut line is what this is for
      socket.once('close', () => sockets.delete(socket));
    }
    downstream.pipe(onward);
    onward.pipe(downstream);
    downstream.once('close', () => onward.destroy());
    onward.once('close', () => downstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    socketPath,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
