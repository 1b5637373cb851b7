import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  AgentIdSchema,
  CLAUDE_PATH,
  DIALLING_PROVIDER,
  type ErrorCode,
  type Principal,
  RelayError,
  type Session,
  SpawnModeSchema,
  toRelayError,
} from 'agent-relay-protocol';
import type { CloseReason, DuplexClosed, MessageDuplex } from 'agent-relay-wire';
import { isLoopbackAddress, webSocketDuplex } from 'agent-relay-wire/node';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Logger } from '../../logger.ts';
import type { DialInRequest, Relay } from '../../relay/contract/relay-contract.ts';
import type { Authenticator } from '../credentials.ts';
import type { Draining } from '../draining.ts';
import type { RequestGuard } from '../request-guard.ts';

export interface DialledLinksDeps {
  readonly relay: Pick<Relay, 'dialIns' | 'endOf'>;
  readonly authenticator: Pick<Authenticator, 'authenticateToken'>;
  readonly guard: Pick<RequestGuard, 'check'>;
  readonly draining: Draining;
  readonly log: Logger;
}

/** What a program may dial: an agent of that kind, and the code that lets it in where it has no token. */
const Target = z.object({ agentId: AgentIdSchema, code: z.string().min(1).max(256).nullable() });
/** What whoever starts a program asks for it; other words are the program's own. */
const Terms = z.object({
  mode: SpawnModeSchema.optional(),
  ask: z.enum(['true', 'false']).optional(),
  cwd: z.string().max(4096).startsWith('/').optional(),
});

/** The largest frame either way: no request of a model's is longer. */
export const MAX_DIALLED_FRAME_BYTES = 32 * 1024 * 1024;
/** Above this many unsent bytes a reader counts as lost; it is dialled anew, and nothing that matters was only there. */
const MAX_UNSENT_BYTES = 64 * 1024 * 1024;
/** What somebody who was turned away may still send before the answer to the close frame. */
const MAX_UNREAD_BYTES = 256 * 1024;
/** After these a program does not come again; what may pass is told apart from them. */
const finalClose = 4003;
const comeAgainClose = 1013;
const passing: ReadonlySet<ErrorCode> = new Set(['busy', 'node_unavailable', 'connection_closed', 'timeout', 'overloaded', 'internal']);

/**
 * The links of programs that dialled in, each carried to the machine that fetched it. What is said on them is theirs: here it is text that nobody
 * parses, read no faster than the other side takes it, and not before a machine has come for it.
 */
export class DialledLinks {
  readonly #deps: DialledLinksDeps;
  /** By the id under which a machine fetches it. Nothing is read of these. */
  readonly #waiting = new Map<string, { readonly webSocket: WebSocket; readonly duplex: TextDuplex }>();

  constructor(deps: DialledLinksDeps) {
    this.#deps = deps;
  }

  /** Takes what a program opened. Never rejects: native CLIs exit without a word on an HTTP refusal, so they are turned away here. */
  async take(webSocket: WebSocket, request: IncomingMessage): Promise<void> {
    const { draining, log, relay } = this.#deps;
    webSocket.pause();
    const duplex = textOf(webSocket);
    const linkId = randomBytes(32).toString('base64url');
    const forget = draining.onDrain(() => void duplex.close({ code: 1012, reason: 'restarting' }));
    void duplex.closed.then(() => {
      forget();
      this.#waiting.delete(linkId);
    });
    this.#waiting.set(linkId, { webSocket, duplex });
    try {
      const asked = await this.#read(request, linkId);
      const session = await relay.dialIns.open(asked);
      this.#endWith(asked.principal, session, duplex);
      log.info('a program dialled in', { agentId: asked.agentId, sessionId: session.sessionId });
    } catch (error) {
      const refusal = toRelayError(error);
      if (refusal.code === 'internal') log.error('a program could not dial in', { error: refusal.cause });
      boundUnread(webSocket, request);
      const isFinal = !passing.has(refusal.code);
      await duplex.close({
        code: isFinal ? finalClose : comeAgainClose,
        reason: refusal.code === 'internal' ? 'internal' : refusal.message,
      });
    }
  }

  /** A machine comes for one. */
  fetch(webSocket: WebSocket, linkId: string): void {
    const { draining } = this.#deps;
    const ofNode = textOf(webSocket);
    const waiting = this.#waiting.get(linkId);
    this.#waiting.delete(linkId);
    if (!waiting) return void ofNode.close({ code: finalClose, reason: 'There is no such link, or not any more' });
    const forget = draining.onDrain(() => void ofNode.close({ code: 1001, reason: 'The relay is stopping' }));
    void ofNode.closed.then(forget);
    const { duplex: ofProgram } = waiting;
    waiting.webSocket.resume();
    void carry(ofProgram, ofNode, () => ({ code: 1001, reason: 'The program is gone' }));
    void carry(ofNode, ofProgram, asSaid);
  }

  /** @throws RelayError `misdirected_host`, `forbidden_origin`, `validation_failed`, `unauthorized`. */
  async #read(request: IncomingMessage, linkId: string): Promise<DialInRequest> {
    const { guard, authenticator } = this.#deps;
    const { headers, socket } = request;
    if (guard.check(headers) !== 'none') throw new RelayError('forbidden_origin', 'Programs dial in, and no pages');
    const url = new URL(request.url ?? '/', 'http://relay');
    const [agent = '', code = null, ...more] = url.pathname.slice(CLAUDE_PATH.length + 1).split('/');
    const target = Target.safeParse({ agentId: decoded(agent), code });
    const terms = Terms.safeParse(Object.fromEntries(url.searchParams));
    if (!target.success || more.length > 0) throw new RelayError('validation_failed', `Dial ${CLAUDE_PATH}/ and the id of the agent`);
    if (!terms.success)
      throw new RelayError('validation_failed', `${terms.error.issues[0]?.path.join('.')}: ${terms.error.issues[0]?.message}`);
    const bearer = /^Bearer +(\S+) *$/iu.exec(headers.authorization ?? '')?.[1];
    const { mode, ask, cwd } = terms.data;
    const lastRequestId = headers['x-last-request-id'];
    return {
      provider: DIALLING_PROVIDER,
      ...target.data,
      principal: bearer === undefined ? null : await authenticator.authenticateToken(bearer),
      mode,
      ask: ask === undefined ? undefined : ask === 'true',
      cwd,
      dialled: {
        linkId,
        url: `${CLAUDE_PATH}/${agent}${url.search}`,
        ...(typeof lastRequestId === 'string' ? { lastRequestId: lastRequestId.slice(0, 256) } : {}),
        relayUrl: `${isEncrypted(request) ? 'https' : 'http'}://${headers.host}`,
        nearby:
          headers.forwarded === undefined && headers['x-forwarded-for'] === undefined && isLoopbackAddress(socket.remoteAddress ?? ''),
      },
    };
  }

  /** Its token let it in: when that ends, so does the session. */
  #endWith(principal: Principal | null, session: Session, duplex: MessageDuplex): void {
    const end = principal && this.#deps.relay.endOf(principal);
    if (!principal || !end) return;
    const reason = 'The token with which it dialled in has ended';
    const onEnd = () =>
      void this.#deps.relay.dialIns.end(session, principal.workspace, reason).then(() => duplex.close({ code: finalClose, reason }));
    end.addEventListener('abort', onEnd, { once: true });
    void duplex.closed.then(() => end.removeEventListener('abort', onEnd));
    if (end.aborted) onEnd();
  }
}

type TextDuplex = MessageDuplex<string, string>;

const textOf = (webSocket: WebSocket): TextDuplex =>
  webSocketDuplex(webSocket, { framing: 'text', maxBufferedBytes: MAX_UNSENT_BYTES, closeTimeoutMs: 500 });

/** A refused program's socket is read up to its close frame, and no frame of the size of a request fits before that. */
function boundUnread(webSocket: WebSocket, { socket }: IncomingMessage): void {
  let unread = 0;
  socket.on('data', ({ length }: Buffer) => {
    unread += length;
    if (unread > MAX_UNREAD_BYTES) webSocket.terminate();
  });
}

/** A side that takes nothing any more is closed by the other direction. */
async function carry(from: TextDuplex, to: TextDuplex, closeFor: (closed: DuplexClosed) => CloseReason): Promise<void> {
  try {
    for await (const frame of from.incoming) await to.sendText?.(frame).catch(() => {});
  } catch {
    // The fault of a link is also what its `closed` resolves with.
  }
  await to.close(closeFor(await from.closed));
}

/** What a machine says ends a program or lets it come again; one that is gone said nothing. */
const asSaid = ({ code, reason = '' }: DuplexClosed): CloseReason =>
  code === undefined || code === 1005 || code === 1006 ? { code: comeAgainClose, reason: 'its machine is gone' } : { code, reason };

const isEncrypted = ({ headers, socket }: IncomingMessage): boolean =>
  ('encrypted' in socket && socket.encrypted === true) || headers['x-forwarded-proto'] === 'https';

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
