import { decodeReplyFrame, type ReplyFrame } from './inbox-frames.ts';
import { LineServer } from './line-server.ts';

export interface CorrespondentsOptions {
  /** Where the nth correspondent is answered. */
  readonly socketPath: (n: number) => string;
  readonly onAnswer: (answer: { readonly to: string; readonly replyTo: number; readonly text: string }) => void;
  readonly onStatus: (status: Extract<ReplyFrame, { type: 'status' }>) => void;
}

interface Correspondent {
  readonly path: string;
  readonly server: Promise<LineServer>;
  lastMessageId: number;
}

const MOST = 64;

/**
 * A socket for each agent that wrote to the session: the model answers a message by the address it came from, so that the socket says whom it
 * means. Who has not written for longest gives up theirs when there are too many.
 */
export class Correspondents {
  readonly #options: CorrespondentsOptions;
  readonly #open = new Map<string, Correspondent>();
  #count = 0;

  constructor(options: CorrespondentsOptions) {
    this.#options = options;
  }

  /** Where answers to this agent's newest message are taken. */
  async socketFor(agentId: string, messageId: number): Promise<string> {
    const known = this.#open.get(agentId) ?? this.#listen(agentId);
    known.lastMessageId = messageId;
    this.#open.delete(agentId);
    this.#open.set(agentId, known);
    await known.server;
    return known.path;
  }

  async close(): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(open.map(async ({ server }) => (await server).close()));
  }

  #listen(agentId: string): Correspondent {
    this.#count += 1;
    const path = this.#options.socketPath(this.#count);
    const server = LineServer.listen({ path, onLine: (line) => this.#take(agentId, line) });
    // A failure is told to whoever asked; the next asks again.
    server.catch(() => this.#open.delete(agentId));
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= MOST) {
      this.#open.delete(oldest[0]);
      void oldest[1].server.then(
        (old) => old.close(),
        () => {},
      );
    }
    return { path, server, lastMessageId: 0 };
  }

  #take(agentId: string, line: string): void {
    const frame = decodeReplyFrame(line);
    if (frame?.type === 'status') this.#options.onStatus(frame);
    if (frame?.type !== 'answer') return;
    const replyTo = this.#open.get(agentId)?.lastMessageId;
    if (replyTo !== undefined) this.#options.onAnswer({ to: agentId, replyTo, text: frame.text });
  }
}
