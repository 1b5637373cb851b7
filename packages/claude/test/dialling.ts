import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';
import { EventLog } from 'agent-relay-provider/testing';
import { startFakeAnthropic, tempHome, wordScript } from 'agent-relay-testing';
import { spawnProcess } from 'agent-relay-wire/node';
import { type WebSocket, WebSocketServer } from 'ws';
import { type AcceptedClaudeSession, acceptClaude } from '../src/provider/accept-claude.ts';

const cli = join(import.meta.dirname, '..', 'src', 'cli.ts');

const closeServer = async (server: ReturnType<typeof createServer>) => {
  server.closeAllConnections();
  server.close();
};

interface Dialling {
  /** The status with which the server refuses each upgrade. */
  readonly refuse?: number;
  /** It takes each link, and closes it at once. */
  readonly hangsUp?: boolean;
  readonly isLoggedIn?: boolean;
  /** By our command, or by the CLI itself. */
  readonly way?: 'dial' | 'sdk-url';
  /** What its folder has in `.claude/settings.json`: a folder that nobody has trusted. */
  readonly strangersSettings?: object;
  /** As the address asks. */
  readonly mode?: SpawnMode;
}

/** A server that takes what dials it, and a real CLI that does. */
export async function dialled(command: string, options: Dialling = {}) {
  const { refuse, hangsUp = false, isLoggedIn = true, way = 'dial', strangersSettings, mode } = options;
  const cleanUps: (() => Promise<unknown>)[] = [];
  const sessions: { session: AcceptedClaudeSession; log: EventLog }[] = [];
  const upgrades: IncomingMessage[] = [];
  const sockets: WebSocket[] = [];
  const faults: unknown[] = [];
  const accept = async (socket: WebSocket, upgrade: IncomingMessage) => {
    upgrades.push(upgrade);
    sockets.push(socket);
    if (hangsUp) return socket.close(1011, 'not now');
    if (await sessions[0]?.session.reattach(socket)) return;
    const session = await acceptClaude(socket, upgrade);
    sessions.push({ session, log: new EventLog(session) });
  };
  const server = createServer();
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: 128 << 20 });
  server.on('upgrade', (request, socket, head) => {
    if (refuse !== undefined) {
      upgrades.push(request);
      socket.end(`HTTP/1.1 ${refuse} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      accept(webSocket, request).catch((error: unknown) => void faults.push(error));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => closeServer(server));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const home = await tempHome();
  cleanUps.push(() => home.remove());
  const model = await startFakeAnthropic({ model: wordScript() });
  cleanUps.push(() => model.close());
  const { ANTHROPIC_API_KEY: key, ...env } = { ...home.env(), ...model.env() };
  const url = `ws://127.0.0.1:${address.port}/claude/s1?x=1${mode === undefined ? '' : `&mode=${mode}`}`;
  const cwd = strangersSettings === undefined ? home.workFolder : join(home.directory, 'stranger');
  if (strangersSettings !== undefined) {
    await mkdir(join(cwd, '.claude'), { recursive: true });
    await writeFile(join(cwd, '.claude', 'settings.json'), JSON.stringify(strangersSettings));
  }
  const byCommand = ['--conditions=agent-relay-source', cli, 'dial', '--command', command, '--cwd', cwd, url];
  const byItself = ['--sdk-url', url, '--print', '--include-partial-messages', '--replay-user-messages', '-p', ''];
  const child = await spawnProcess({
    ...(way === 'dial' ? { command: process.execPath, args: byCommand } : { command, args: byItself }),
    cwd,
    env: { ...env, ...(isLoggedIn && key ? { ANTHROPIC_API_KEY: key } : {}), CLAUDE_CODE_SESSION_ACCESS_TOKEN: 'secret' },
  });
  cleanUps.push(() => child.kill());
  const close = async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  };
  return { child, sessions, upgrades, sockets, faults, model, cwd, close };
}
