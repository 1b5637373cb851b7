import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { agentCliPaths, type Model, startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { spawnProcess, webSocketDuplex } from 'agent-relay-wire/node';
import { type WebSocket, WebSocketServer } from 'ws';
import type { OutgoingFrame } from '../src/stream-json/outgoing.ts';
import type { SdkUrlHandler } from '../src/stream-json/sdk-url-handler.ts';

const dialProgram = join(import.meta.dirname, '..', 'src', 'cli.ts');

export interface Dials {
  readonly path?: string | undefined;
  readonly bearer?: string | undefined;
  readonly model?: Model;
  /** This one, by `dial`, in the place of 2.1.120 by itself. */
  readonly newest?: string | undefined;
  /** Files of its folder, by their paths in it. */
  readonly files?: Readonly<Record<string, object>>;
  /** What it says of these never arrives. */
  readonly isLost?: (frame: unknown) => boolean;
}

/** A WebSocket server that hands its sockets to the handler, and one real CLI that dials it. */
export async function serveAndDial(handler: SdkUrlHandler, cleanUps: (() => Promise<unknown>)[], dials: Dials = {}) {
  const { path = '/claude/s1', bearer = 'secret', model: script, newest, files = {}, isLost = () => false } = dials;
  const server = createServer();
  const sockets = new WebSocketServer({ server, maxPayload: 128 << 20 });
  let isAnswerLost = false;
  sockets.on('connection', (socket, request: IncomingMessage) => {
    const duplex = webSocketDuplex<unknown, OutgoingFrame>(socket, { framing: 'lines' });
    const incoming = isAnswerLost ? cutByAnswer(duplex.incoming, socket) : without(duplex.incoming, isLost);
    isAnswerLost = false;
    void handler.accept(Object.assign(duplex, { incoming }), request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  cleanUps.push(async () => {
    await handler.close();
    sockets.close();
    server.closeAllConnections();
    server.close();
  });
  const home = await tempHome();
  cleanUps.push(() => home.remove());
  const model = await startFakeAnthropic({ model: script ?? wordScript() });
  cleanUps.push(() => model.close());
  await mkdir(join(home.workFolder, '.claude'), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(home.workFolder, name), JSON.stringify(content));
  const url = `ws://127.0.0.1:${address.port}${path}`;
  const byItself = ['--sdk-url', url, '--print', '--include-partial-messages', '--replay-user-messages', '-p', ''];
  const byCommand = ['--conditions=agent-relay-source', dialProgram, 'dial', '--command', newest ?? '', '--cwd', home.workFolder, url];
  const child = await spawnProcess({
    ...(newest === undefined
      ? { command: agentCliPaths().claudeDialling ?? '', args: byItself }
      : { command: process.execPath, args: byCommand }),
    cwd: home.workFolder,
    env: { ...home.env(), ...model.env(), CLAUDE_CODE_SESSION_ACCESS_TOKEN: bearer },
    stdout: 'ignore',
  });
  cleanUps.push(() => child.kill());
  const drop = (code: number) => {
    for (const socket of sockets.clients) socket.close(code);
  };
  const loseNextAnswer = () => {
    isAnswerLost = true;
  };
  /** Nobody is there while the work lasts. */
  const away = async (work: () => Promise<unknown>) => {
    server.close();
    for (const socket of sockets.clients) socket.terminate();
    await work();
    server.listen(address.port, '127.0.0.1');
  };
  return { child, drop, loseNextAnswer, away, cwd: home.workFolder, outside: home.directory, model };
}

/** The first answer of a CLI does not arrive: it is the end of the line. */
async function* cutByAnswer(incoming: AsyncIterable<unknown>, socket: WebSocket): AsyncGenerator<unknown, void> {
  for await (const frame of incoming) {
    if (JSON.stringify(frame).includes('"control_response"')) return socket.terminate();
    yield frame;
  }
}

async function* without(incoming: AsyncIterable<unknown>, isLost: (frame: unknown) => boolean): AsyncGenerator<unknown, void> {
  for await (const frame of incoming) if (!isLost(frame)) yield frame;
}
