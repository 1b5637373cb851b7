import { connect } from 'node:net';
import { encodeInboxFrame, type InboxFrame } from './inbox-frames.ts';

export interface SessionInboxOptions {
  readonly socketPath: string;
  readonly token: string | undefined;
}

const LIMIT_MS = 5_000;

/** Puts messages into the live session that started this process. Claude Code lets its own children do so, in every permission mode. */
export class SessionInbox {
  readonly #options: SessionInboxOptions;

  constructor(options: SessionInboxOptions) {
    this.#options = options;
  }

  /**
   * Resolves once the session may have the frames; that they are read is told by the hook. Rejects when nobody listens. A session that is slow has what was
   * written all the same: it lies in its socket, also when this end is closed.
   */
  post(frames: readonly InboxFrame[]): Promise<void> {
    const { socketPath, token } = this.#options;
    const auth = token === undefined ? '' : `${JSON.stringify({ type: 'auth', token })}\n`;
    return new Promise((resolve, reject) => {
      const socket = connect(socketPath);
      socket.setTimeout(LIMIT_MS, () => socket.destroy(new Error('The inbox of the session does not answer')));
      socket.once('connect', () => {
        socket.setTimeout(0);
        resolve();
      });
      socket.on('error', reject);
      // Read, so that the end of it is noticed.
      socket.resume();
      socket.end(auth + frames.map(encodeInboxFrame).join(''));
    });
  }
}
