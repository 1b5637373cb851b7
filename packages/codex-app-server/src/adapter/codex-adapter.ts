import { RelayError } from 'agent-relay-protocol';
import { CodexClient } from '../app-server/codex-client.ts';
import type { ClientInfo } from '../app-server/connection.ts';
import { type CodexEndpoint, parseEndpoint } from '../app-server/endpoint.ts';
import { launch } from '../app-server/launch.ts';
import type { SandboxMode, SandboxPolicy } from '../app-server/methods.ts';
import type { AnswerServerRequest } from '../app-server/server-requests.ts';
import { CodexAgent } from './codex-agent.ts';

export interface CodexAdapterOptions {
  /** Where the agents work. Absolute. */
  readonly cwd: string;
  /** The environment of a server that the adapter starts itself. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the agents' commands and edits may touch. Default `workspace-write`: the folder, without the network. Nobody is asked for more. */
  readonly sandbox?: SandboxMode;
  /** Default: what Codex is set to. */
  readonly model?: string;
  /** A name or a path. Default: `codex` from the `PATH` of `env`. */
  readonly command?: string;
  readonly clientInfo?: ClientInfo;
  /** Answers what Codex asks for an agent, such as MCP forms. Default: no. */
  readonly onRequest?: AnswerServerRequest;
  /** A turn that failed, the loss of the connection, or what a handler of `onResponse` threw. Default: nobody is told. */
  readonly onError?: (agentName: string, error: unknown) => void;
}

/** Something said to an agent by somebody with a name. */
export interface CodexAgentMessage {
  readonly from: string;
  readonly body: string;
}

interface Connected {
  readonly client: CodexClient;
  readonly close: () => Promise<void>;
}

const sandboxes: Readonly<Record<SandboxMode, SandboxPolicy>> = {
  'read-only': { type: 'readOnly', networkAccess: false },
  'workspace-write': {
    type: 'workspaceWrite',
    writableRoots: [],
    networkAccess: false,
    excludeTmpdirEnvVar: false,
    excludeSlashTmp: false,
  },
  'danger-full-access': { type: 'dangerFullAccess' },
};

/**
 * Codex agents by name, over one app-server.
 *
 * States: *disconnected* at first and after `disconnect()`; *connected* in between. Every call but `connect`, `disconnect` and `onResponse` needs a
 * connection, else it rejects with `connection_closed`; an agent that is not there is `not_found`.
 */
export class CodexAdapter {
  readonly #options: CodexAdapterOptions;
  readonly #agents = new Map<string, Promise<CodexAgent>>();
  readonly #handlers: ((agentName: string, response: string) => unknown)[] = [];
  #connected: Promise<Connected> | undefined;

  constructor(options: CodexAdapterOptions) {
    this.#options = options;
  }

  /**
   * Connects to a running app-server (`ws://127.0.0.1:4500`, `unix:///path/to/socket`, or an endpoint with a token). Without one the adapter starts its
   * own, starts it again when it dies, and ends it with `disconnect`.
   * @throws RelayError `validation_failed` for what is no endpoint, `provider_unavailable` when there is no Codex or it did not start, `name_taken`
   * when connected already; what the connection failed with.
   */
  async connect(endpoint?: string | CodexEndpoint): Promise<void> {
    if (this.#connected) throw new RelayError('name_taken', 'The adapter is connected already');
    const connecting =
      endpoint === undefined ? this.#launch() : this.#attach(typeof endpoint === 'string' ? parseEndpoint(endpoint) : endpoint);
    this.#connected = connecting;
    try {
      await connecting;
    } catch (error) {
      if (this.#connected === connecting) this.#connected = undefined;
      throw error;
    }
  }

  /** Leaves the server: one of the adapter's own ends with its turns, another goes on with them. Idempotent. */
  async disconnect(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    for (const opening of this.#agents.values()) void opening.then((agent) => agent.leave()).catch(() => {}); // whoever opened it was told
    this.#agents.clear();
    await (await connected?.catch(() => undefined))?.close();
  }

  /**
   * Opens an agent and gives it its task; resolves when Codex has it. An empty task waits for the first message.
   * @throws RelayError `name_taken`.
   */
  async createAgent(name: string, task: string): Promise<CodexAgent> {
    const { client } = await this.#connection();
    if (this.#agents.has(name)) throw new RelayError('name_taken', `There is an agent ${name} already`);
    const opening = this.#open(client, name);
    this.#agents.set(name, opening);
    try {
      const agent = await opening;
      if (task !== '') await agent.sendTurn(task);
      return agent;
    } catch (error) {
      if (this.#agents.get(name) === opening) this.#agents.delete(name);
      throw error;
    }
  }

  /** Stops the agent; what it said stays on disk. */
  async destroyAgent(name: string): Promise<void> {
    const agent = await this.#agent(name);
    this.#agents.delete(name);
    await agent.destroy();
  }

  /** Says something to an agent in somebody's name: a turn of its own, or part of the one that runs. */
  async sendMessage(agentName: string, { from, body }: CodexAgentMessage): Promise<void> {
    await (await this.#agent(agentName)).sendTurn(`[Message from ${from}]\n\n${body}`);
  }

  /** Called with what an agent says at the end of each turn that went well; what it throws, or rejects with, goes to `onError`. */
  onResponse(handler: (agentName: string, response: string) => unknown): void {
    this.#handlers.push(handler);
  }

  async interruptAgent(name: string): Promise<void> {
    await (await this.#agent(name)).interrupt();
  }

  async steerAgent(name: string, additionalInput: string): Promise<void> {
    await (await this.#agent(name)).steer(additionalInput);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disconnect();
  }

  async #open(client: CodexClient, name: string): Promise<CodexAgent> {
    const { cwd, model, sandbox = 'workspace-write', onRequest } = this.#options;
    // With more in a git folder Codex writes "trusted" into the user's settings: every turn names its own sandbox instead.
    const params = { cwd, approvalPolicy: 'never', sandbox: 'read-only', ...(model === undefined ? {} : { model }) } as const;
    const thread = await client.startThread(params, onRequest ? { onRequest } : {});
    return new CodexAgent(name, thread, {
      sandboxPolicy: sandboxes[sandbox],
      onResponse: (response) => this.#tell(name, response),
      onError: (error) => this.#options.onError?.(name, error),
    });
  }

  #tell(name: string, response: string): void {
    const onError = (error: unknown) => this.#options.onError?.(name, error);
    for (const handler of this.#handlers) {
      try {
        void Promise.resolve(handler(name, response)).catch(onError);
      } catch (error) {
        onError(error);
      }
    }
  }

  async #attach(endpoint: CodexEndpoint): Promise<Connected> {
    const client = await CodexClient.connect(endpoint, { clientInfo: this.#clientInfo });
    return { client, close: () => client.close() };
  }

  async #launch(): Promise<Connected> {
    const { env, command } = this.#options;
    const { client, server } = await launch({ server: { env, command }, client: { clientInfo: this.#clientInfo } });
    void server.gaveUp.then(() => client.close());
    return {
      client,
      close: async () => {
        await client.close();
        await server.close();
      },
    };
  }

  get #clientInfo(): ClientInfo {
    return this.#options.clientInfo ?? { name: 'codex_adapter', title: 'Codex adapter', version: '0.1.0' };
  }

  async #connection(): Promise<Connected> {
    if (!this.#connected) throw new RelayError('connection_closed', 'The adapter is not connected');
    return await this.#connected;
  }

  async #agent(name: string): Promise<CodexAgent> {
    await this.#connection();
    const agent = this.#agents.get(name);
    if (!agent) throw new RelayError('not_found', `There is no agent ${name}`);
    return await agent;
  }
}
