import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { LineDecoder } from 'agent-relay-wire';

export interface LineServerOptions {
  readonly path: string;
  readonly onLine: (line: string, socket: Socket) => void;
}

const LONGEST_LINE = 8 << 20;

/** Listens at a path that only this user can reach, for lines of text. */
export class LineServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, onLine: LineServerOptions['onLine']) {
    this.#server = server;
    server.on('error', () => {});
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      const lines = new LineDecoder({ maxLineBytes: LONGEST_LINE });
      socket.on('data', (piece) => {
        for (const { text, isTooLong } of lines.push(piece)) if (!isTooLong && text !== '') onLine(text, socket);
      });
      // Whoever asked went away: nobody is told.
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async listen({ path, onLine }: LineServerOptions): Promise<LineServer> {
    if (!path.startsWith('\\\\')) rmSync(path, { force: true });
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return new LineServer(server, onLine);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
