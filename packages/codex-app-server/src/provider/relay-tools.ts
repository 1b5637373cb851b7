import type { Client } from '@modelcontextprotocol/client';
import { longestToolWaitMs, messageOf, toolWaitMsOf } from 'agent-relay-protocol';
import type { McpEndpoint } from 'agent-relay-provider';
import { lenient } from 'agent-relay-wire';
import { z } from 'zod';
import type { DynamicToolNamespace } from '../app-server/methods.ts';
import { parseRequest, type ServerRequest } from '../app-server/server-requests.ts';

/** A node waits for a relay that is away for as long as that before it answers in its place. */
const answerLimitMs = 70_000;

/** For those who have one limit for all tools. */
export const toolTimeoutMs = answerLimitMs + longestToolWaitMs();

/** How long a session's start waits for the list. */
const openMs = 5_000;

/** Codex and its model take no other names. */
const isNamespace = (name: string): boolean => /^[\w-]{1,64}$/u.test(name);

const CallSchema = z.looseObject({ turnId: z.string(), namespace: lenient(z.string()), tool: z.string(), arguments: lenient(z.json()) });
const ArgumentsSchema = z.record(z.string(), z.unknown()).catch({});

/** A tool that Codex's model called. */
export interface RelayToolCall {
  readonly server: string;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly turnId: string;
}

/** What Codex takes as the result of a tool of its client's. */
export interface ClientToolResult {
  readonly success: boolean;
  readonly contentItems: readonly (
    | { readonly type: 'inputText'; readonly text: string }
    | { readonly type: 'inputImage'; readonly imageUrl: string }
  )[];
}

/**
 * A session's MCP servers as tools of Codex's client: Codex asks for each call over the connection that it has, and the session asks the server. So
 * the model has them at once, no policy of a turn refuses them, and what opens the server stays out of Codex.
 */
export class ClientTools {
  /** As a thread is started with them; kept with the thread. */
  readonly offered: readonly DynamicToolNamespace[];
  readonly #clients: ReadonlyMap<string, Client>;
  /** Those that run, by their turn. */
  readonly #calls = new Map<string, Set<AbortController>>();

  private constructor(clients: ReadonlyMap<string, Client>, offered: readonly DynamicToolNamespace[]) {
    this.#clients = clients;
    this.offered = offered;
  }

  /** Undefined where one of them cannot be asked now, or cannot be named to Codex: then Codex is told of the servers itself. */
  static async open(endpoints: readonly McpEndpoint[], signal: AbortSignal): Promise<ClientTools | undefined> {
    if (endpoints.length === 0 || !endpoints.every(({ name }) => isNamespace(name))) return undefined;
    // A quarter of what a machine's process would load at its start.
    const { Client } = await import('@modelcontextprotocol/client');
    const clients = new Map<string, Client>();
    const over = AbortSignal.any([signal, AbortSignal.timeout(openMs)]);
    try {
      const offered: DynamicToolNamespace[] = [];
      for (const endpoint of endpoints) {
        const client = new Client({ name: 'agent_relay', version: '1' });
        clients.set(endpoint.name, client);
        offered.push(await listTools(client, endpoint, over));
      }
      return new ClientTools(clients, offered);
    } catch {
      await closeAll(clients);
      signal.throwIfAborted();
      return undefined;
    }
  }

  close(): Promise<void> {
    return closeAll(this.#clients);
  }

  /** Runs a call until `signal` aborts, or its turn ends. Never rejects: what fails is told to the model. */
  async call({ server, tool, input, turnId }: RelayToolCall, signal: AbortSignal): Promise<ClientToolResult> {
    const client = this.#clients.get(server);
    if (!client) return toolAnswer(`There is no tool ${tool} of ${server} here.`, false);
    const over = new AbortController();
    const calls = this.#calls.get(turnId) ?? new Set();
    this.#calls.set(turnId, calls.add(over));
    const options = { signal: AbortSignal.any([signal, over.signal]), timeout: answerLimitMs + toolWaitMsOf(tool, input) };
    try {
      const { content, isError } = await client.callTool({ name: tool, arguments: { ...input } }, options);
      return { success: isError !== true, contentItems: content.map(toContentItem) };
    } catch (error) {
      return toolAnswer(`${tool} failed: ${messageOf(error)}`, false);
    } finally {
      calls.delete(over);
      if (calls.size === 0) this.#calls.delete(turnId);
    }
  }

  /** Codex says of a call that was interrupted only that its turn is over. */
  turnEnded(turnId: string): void {
    for (const call of this.#calls.get(turnId) ?? []) call.abort();
  }
}

export const toolCallMethod = 'item/tool/call';

/** @throws RelayError `unsupported` for what is no call. */
export function readToolCall(request: ServerRequest): RelayToolCall {
  const { turnId, namespace, tool, arguments: input } = parseRequest(CallSchema, request);
  return { turnId, server: namespace ?? '', tool, input: ArgumentsSchema.parse(input ?? {}) };
}

export const toolAnswer = (text: string, success: boolean): ClientToolResult => ({ success, contentItems: [{ type: 'inputText', text }] });

async function listTools(client: Client, { name, url, headers }: McpEndpoint, signal: AbortSignal): Promise<DynamicToolNamespace> {
  const { ToolTransport } = await import('./tool-transport.ts');
  await client.connect(new ToolTransport(new URL(url), { requestInit: { headers: { ...headers } } }), { signal });
  const { tools } = await client.listTools(undefined, { signal });
  return {
    type: 'namespace',
    name,
    description: `Tools of ${name}.`,
    tools: tools.map(({ name: tool, description = '', inputSchema }) => ({ type: 'function', name: tool, description, inputSchema })),
  };
}

type Content = Awaited<ReturnType<Client['callTool']>>['content'][number];

function toContentItem(content: Content): ClientToolResult['contentItems'][number] {
  if (content.type === 'text') return { type: 'inputText', text: content.text };
  if (content.type === 'image') return { type: 'inputImage', imageUrl: `data:${content.mimeType};base64,${content.data}` };
  return { type: 'inputText', text: JSON.stringify(content) };
}

async function closeAll(clients: ReadonlyMap<string, Client>): Promise<void> {
  await Promise.allSettled([...clients.values()].map((client) => client.close()));
}
