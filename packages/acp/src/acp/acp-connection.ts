import { AGENT_METHODS, CLIENT_METHODS, type ClientConnection, client, PROTOCOL_VERSION, RequestError } from '@agentclientprotocol/sdk';
import { RELAY_VERSION, RelayError } from 'agent-relay-protocol';
import type { MessageDuplex } from 'agent-relay-wire';
import { z } from 'zod';
import { acpStream } from './acp-stream.ts';
import {
  InitializeAnswer,
  LoadSessionAnswer,
  NewSessionAnswer,
  type PermissionOutcome,
  PermissionQuestion,
  PromptAnswer,
  parseUpdate,
  ReadFileRequest,
  SessionNotification,
  type SessionUpdate,
  WriteFileRequest,
} from './frames.ts';
import { OneAtATime } from './one-at-a-time.ts';

/** Answers what the agent asks, and hears what it tells. What a handler throws is answered as an error. */
export interface AcpHandlers {
  /** In order; nothing more is read from the agent until it has resolved. */
  readonly onUpdate: (update: SessionUpdate) => Promise<void> | void;
  /** `signal` aborts when the agent withdraws its question, and with the connection. */
  readonly onPermission: (request: PermissionQuestion, signal: AbortSignal) => Promise<PermissionOutcome>;
  /** One at a time: the next is read when the agent has taken the one before. */
  readonly onReadFile: (request: ReadFileRequest) => Promise<string>;
  readonly onWriteFile: (request: WriteFileRequest, signal: AbortSignal) => Promise<void>;
  /** JSON on the agent's stdout that is no message of the protocol. */
  readonly onStray: (frame: unknown) => void;
}

/** A server for `session/new`; agents that speak HTTP to MCP servers take it. */
export interface AcpMcpServer {
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AcpSessionPlace {
  /** Absolute. */
  readonly cwd: string;
  readonly mcp: readonly AcpMcpServer[];
}

/** A block of a prompt. */
export type PromptBlock =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image'; readonly mimeType: string; readonly data: string };

/**
 * The client side of the Agent Client Protocol over any duplex, for agents that hold one session. Terminals are not offered and file access is not
 * advertised; an agent that asks for files all the same is answered by the handlers, and whatever has no handler with `-32601`.
 *
 * Every call rejects with `connection_closed` after the end, with `unsupported` when the agent's answer cannot be read, and with the SDK's
 * `RequestError` when the agent refused.
 */
export class AcpConnection {
  readonly #connection: ClientConnection;
  readonly #duplex: MessageDuplex;
  #loadsSessions = false;
  #sessionId: string | undefined;
  #isReplaying = false;

  constructor(duplex: MessageDuplex, handlers: AcpHandlers) {
    this.#duplex = duplex;
    const files = new OneAtATime();
    const stream = acpStream(duplex, {
      onUpdate: (params) => this.#updated(params, handlers),
      onStray: handlers.onStray,
      onAnswered: (id) => files.answered(id),
    });
    this.#connection = client({ name: 'agent-relay' })
      .onRequest(CLIENT_METHODS.session_request_permission, PermissionQuestion, async ({ params, signal }) => ({
        outcome: await handlers.onPermission(params, signal),
      }))
      .onRequest(CLIENT_METHODS.fs_read_text_file, ReadFileRequest, async ({ params, requestId }) => ({
        content: await files.run(requestId, () => handlers.onReadFile(params)),
      }))
      .onRequest(CLIENT_METHODS.fs_write_text_file, WriteFileRequest, async ({ params, signal }) => {
        await handlers.onWriteFile(params, signal);
        return {};
      })
      .connect(stream);
  }

  get sessionId(): string | null {
    return this.#sessionId ?? null;
  }

  /** Resolves when the agent's output has ended, or was closed. */
  get closed(): Promise<void> {
    return this.#connection.closed;
  }

  /** @throws RelayError `unsupported` when the agent speaks another version of the protocol. */
  async initialize(): Promise<InitializeAnswer> {
    const answer = await this.#ask(AGENT_METHODS.initialize, InitializeAnswer, {
      protocolVersion: PROTOCOL_VERSION,
      clientInfo: { name: 'agent-relay', version: RELAY_VERSION },
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    });
    if (answer.protocolVersion !== PROTOCOL_VERSION) {
      const message = `it speaks version ${answer.protocolVersion} of the Agent Client Protocol, and this program version ${PROTOCOL_VERSION}`;
      throw new RelayError('unsupported', message);
    }
    this.#loadsSessions = answer.agentCapabilities.loadSession;
    return answer;
  }

  /** Opens a session; the answer names its model where the agent has models, and the modes of its own that it has. */
  async newSession(
    place: AcpSessionPlace,
  ): Promise<{ readonly sessionId: string; readonly model: string | null; readonly modes: readonly string[] }> {
    const { sessionId, models, modes } = await this.#ask(AGENT_METHODS.session_new, NewSessionAnswer, placeParams(place));
    this.#sessionId = sessionId;
    return { sessionId, model: models?.currentModelId ?? null, modes: (modes?.availableModes ?? []).map(({ id }) => id) };
  }

  /** Takes the session into a mode of the agent's own. */
  async setMode(modeId: string): Promise<void> {
    await this.#ask(AGENT_METHODS.session_set_mode, z.unknown(), { sessionId: this.#sessionId, modeId });
  }

  /**
   * Opens an earlier session again. What the agent tells of its past meanwhile is not handed on.
   * @throws RelayError `unsupported` when the agent did not say that it can.
   */
  async loadSession(
    sessionId: string,
    place: AcpSessionPlace,
  ): Promise<{ readonly model: string | null; readonly modes: readonly string[] }> {
    if (!this.#loadsSessions) throw new RelayError('unsupported', 'this agent opens no earlier sessions');
    this.#isReplaying = true;
    try {
      const answer = await this.#ask(AGENT_METHODS.session_load, LoadSessionAnswer, { sessionId, ...placeParams(place) });
      this.#sessionId = sessionId;
      return { model: answer?.models?.currentModelId ?? null, modes: (answer?.modes?.availableModes ?? []).map(({ id }) => id) };
    } finally {
      this.#isReplaying = false;
    }
  }

  /** One turn: resolves when the agent says how it ended. Call it again only then: what agents do with two at a time differs. */
  prompt(prompt: readonly PromptBlock[]): Promise<PromptAnswer> {
    return this.#ask(AGENT_METHODS.session_prompt, PromptAnswer, { sessionId: this.#sessionId, prompt });
  }

  /** Asks the agent to stop its turn; its prompt is answered then. A notification: as a request agents refuse it. */
  async cancel(): Promise<void> {
    try {
      await this.#connection.agent.notify<object>(AGENT_METHODS.session_cancel, { sessionId: this.#sessionId });
    } catch (error) {
      throw this.#meaningOf(error);
    }
  }

  /** Ends the agent's stdin, waits for it to go, then ends the whole process tree. Idempotent. */
  async close(): Promise<void> {
    await this.#duplex.close();
    this.#connection.close();
  }

  async #ask<Schema extends z.ZodType>(method: string, answer: Schema, params: object): Promise<z.infer<Schema>> {
    let said: unknown;
    try {
      said = await this.#connection.agent.request<unknown, object>(method, params);
    } catch (error) {
      throw this.#meaningOf(error);
    }
    const read = answer.safeParse(said);
    if (read.success) return read.data;
    throw new RelayError('unsupported', `it answered ${method} with what cannot be read`, { cause: read.error });
  }

  #meaningOf(error: unknown): unknown {
    if (error instanceof RequestError) return error;
    if (this.#connection.signal.aborted) return new RelayError('connection_closed', 'The agent has ended', { cause: error });
    return error;
  }

  #updated(params: unknown, { onUpdate }: AcpHandlers): Promise<void> | void {
    if (this.#isReplaying) return;
    const { update } = SessionNotification.parse(params);
    return onUpdate(parseUpdate(update));
  }
}

const placeParams = ({ cwd, mcp }: AcpSessionPlace) => ({
  cwd,
  mcpServers: mcp.map(({ name, url, headers }) => ({
    type: 'http',
    name,
    url,
    headers: Object.entries(headers).map(([header, value]) => ({ name: header, value })),
  })),
});
