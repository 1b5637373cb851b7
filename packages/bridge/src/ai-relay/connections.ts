import { randomUUID } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SpawnMode } from 'agent-relay-protocol';
import { type Log, settlesWithin } from 'agent-relay-wire';
import type { ClientSocket } from '../server/client-socket.ts';
import { Backlog } from '../sessions/backlog.ts';
import type { SessionSource } from '../sessions/session-source.ts';
import { AiRelaySession } from './ai-relay-session.ts';
import { type Handshake, readHandshake } from './read-frame.ts';

export interface AiRelayOptions {
  readonly source: SessionSource;
  /** The most that a session may do. */
  readonly mode: SpawnMode;
  /** What relative folders are relative to. */
  readonly cwd: string;
  readonly allowHandshakeOptions: boolean;
  /** Its agents are put in a sandbox, or may be. */
  readonly isConfined: boolean;
  readonly log: Log;
  readonly now: () => number;
}

const handshakeMs = 10_000;
const ranks: readonly SpawnMode[] = ['safe', 'agentic', 'unrestricted'];

/** Clients of ai-relay: one socket, one agent, from a handshake until either ends. */
export class AiRelayConnections {
  readonly #options: AiRelayOptions;
  readonly #sessions = new Set<AiRelaySession>();

  constructor(options: AiRelayOptions) {
    this.#options = options;
  }

  accept(socket: ClientSocket): void {
    const waiting: string[] = [];
    const backlog = new Backlog();
    let session: AiRelaySession | null = null;
    let hasSpoken: () => void = () => {};
    const spoken = new Promise<void>((done) => {
      hasSpoken = done;
    });
    socket.onMessage((text) => {
      if (session) session.receive(text);
      else if (backlog.hasRoom(text.length)) {
        backlog.enter(text.length);
        waiting.push(text);
      } else socket.close(1008, 'Too many requests before the agent started');
      hasSpoken();
    });
    void this.#greet(socket, spoken, waiting).then((started) => {
      session = started;
      for (const text of waiting.splice(0)) session?.receive(text);
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  async #greet(socket: ClientSocket, spoken: Promise<void>, waiting: string[]): Promise<AiRelaySession | null> {
    const isThere = await settlesWithin(Promise.race([spoken, socket.closed]), handshakeMs);
    const first = waiting.shift();
    if (!socket.isOpen) return null;
    const handshake = isThere && first !== undefined ? readHandshake(first) : 'No handshake came within 10 s';
    const place = typeof handshake === 'string' ? handshake : await this.#place(handshake);
    if (typeof handshake === 'string' || typeof place === 'string') {
      socket.send(
        JSON.stringify({ type: 'error', ts: this.#options.now() / 1000, session_id: '', text: typeof place === 'string' ? place : '' }),
      );
      socket.close(1000, 'Handshake refused');
      return null;
    }
    const { source, log, now } = this.#options;
    const { tool, model, env, extraArgs } = handshake;
    const sessionId = handshake.sessionId ?? randomUUID();
    const more = { ...(model === undefined ? {} : { model }), env, extraArgs };
    const session = new AiRelaySession({ socket, source, log, sessionId, tool, ...place, ...more, now });
    this.#sessions.add(session);
    void session.ended.then(() => this.#sessions.delete(session));
    return session;
  }

  /** Where it runs, as what and with which rights; a string is why it does not. */
  async #place(handshake: Handshake): Promise<{ provider: string; cwd: string; mode: SpawnMode } | string> {
    const { allowHandshakeOptions, isConfined, source, mode: most, cwd } = this.#options;
    const { tool, folder, mode: asked, env, extraArgs } = handshake;
    if (!allowHandshakeOptions && (Object.keys(env).length > 0 || extraArgs.length > 0))
      return 'env and extra_args of a handshake are not allowed by this bridge';
    // By variables (`PATH`, `HOME`, certificates) it is known what a sandbox opens.
    if (isConfined && Object.keys(env).length > 0) return 'env of a handshake is not taken where agents are put in a sandbox';
    const provider = tool === 'claude-code' ? 'claude' : tool;
    if (!source.providers.includes(provider)) return `There is no tool ${tool.slice(0, 50)} here; there are ${source.providers.join(', ')}`;
    // Words of the vendors' own modes are not ours, and give no rights.
    const mode = ranks.find((each) => each === asked) ?? most;
    if (ranks.indexOf(mode) > ranks.indexOf(most)) return `This bridge lets agents work in ${most} mode at most`;
    try {
      const path = await realpath(resolve(cwd, folder));
      if ((await stat(path)).isDirectory()) return { provider, cwd: path, mode };
    } catch {
      // said below
    }
    return `The folder ${folder.slice(0, 200)} does not exist`;
  }
}
