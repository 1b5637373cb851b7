import {
  type ErrorCode,
  type McpToolInput,
  type McpToolName,
  mcpTools,
  type Node,
  parseInput,
  RelayError,
  toRelayError,
} from 'agent-relay-protocol';
import { escapeLookAlikes, type ModelText, modelText } from 'agent-relay-wire';
import { z } from 'zod';
import type { Logger } from '../../logger.ts';
import { assertAccess } from '../../relay/access/access.ts';
import type { Relay, RelayHandlers } from '../../relay/contract/relay-contract.ts';
import { InboxReader } from './inbox-reader.ts';
import { pairTool } from './pair-tool.ts';
import { reserveTool } from './reserve-tool.ts';
import { searchTool } from './search-tool.ts';
import { interruptSpawned, releaseSpawned, spawnAgent } from './spawn-tools.ts';
import { statusTool } from './status-tool.ts';
import { keyOf, type ToolCaller } from './tool-caller.ts';
import { describeAgents, describeClaim, describeVerification, tellSent } from './tool-text.ts';
import { waitForAnswer } from './wait-for-answer.ts';
import { workTool } from './work-tool.ts';

export interface McpToolsDeps {
  readonly relay: Pick<Relay, 'handlers' | 'openEvents' | 'toolMail'>;
  readonly log: Logger;
}

/** What a tool call answers: text only, because a model that is given structured content reads that instead. */
export interface ToolAnswer {
  readonly [key: string]: unknown;
  readonly content: { readonly type: 'text'; readonly text: string }[];
  readonly isError?: boolean;
  /** What failed, for programs between the relay and the model, which see only this of it. */
  readonly _meta?: { readonly 'agent-relay/code': ErrorCode };
}

type ToolRuns = { readonly [Name in McpToolName]: (input: McpToolInput<Name>, caller: ToolCaller) => Promise<ModelText> };

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** What goes over the wire of it. */
const plain = (schema: object): Record<string, Json> => JSON.parse(JSON.stringify(schema));

const listed = Object.entries(mcpTools).map(([name, { description, input, readOnly }]) => ({
  name,
  description,
  inputSchema: { ...plain(z.toJSONSchema(input, { io: 'input' })), type: 'object' as const },
  annotations: { readOnlyHint: readOnly },
}));

/** Runs the tools; every failure becomes a text the model can act on. */
export class ToolRunner {
  readonly #handlers: RelayHandlers;
  readonly #log: Logger;
  readonly #runs: ToolRuns;

  constructor({ relay, log }: McpToolsDeps) {
    this.#handlers = relay.handlers;
    this.#log = log;
    this.#runs = toolRuns(relay);
  }

  /** As MCP lists them; what can be spawned is what the machines have now. */
  async list({ context }: ToolCaller): Promise<typeof listed> {
    const online = (await this.#nodes(context)).filter(({ status }) => status === 'online');
    const providers = online.flatMap((node) => node.providers.flatMap(({ id, available }) => (available ? [id] : [])));
    if (providers.length === 0) return listed;
    const there = escapeLookAlikes([...new Set(providers)].sort().join(', '));
    return listed.map((tool) =>
      tool.name === 'relay_spawn' ? { ...tool, description: `${tool.description} Providers here: ${there}.` } : tool,
    );
  }

  /** None for whoever may not see them: it starts nothing on them either. */
  async #nodes(context: ToolCaller['context']): Promise<readonly Node[]> {
    try {
      return (await this.#handlers['nodes/list']({}, context)).data;
    } catch (error) {
      if (toRelayError(error).code === 'forbidden_scope') return [];
      throw error;
    }
  }

  async call(name: string, input: unknown, caller: ToolCaller): Promise<ToolAnswer> {
    try {
      return { content: [{ type: 'text', text: (await this.#run(name, input, caller)).text }] };
    } catch (thrown) {
      const error = toRelayError(thrown);
      if (error.code === 'internal') this.#log.error('tool failed', { tool: name, error: error.cause });
      const content: ToolAnswer['content'] = [{ type: 'text', text: escapeLookAlikes(describeError(error)) }];
      return { content, isError: true, _meta: { 'agent-relay/code': error.code } };
    }
  }

  #run(name: string, input: unknown, caller: ToolCaller): Promise<ModelText> {
    if (!isToolName(name)) throw new RelayError('unknown_method', `There is no tool ${name.slice(0, 64)}`);
    return runTool(this.#runs, name, input, caller);
  }
}

const isToolName = (name: string): name is McpToolName => Object.hasOwn(mcpTools, name);

function runTool<Name extends McpToolName>(runs: ToolRuns, name: Name, input: unknown, caller: ToolCaller): Promise<ModelText> {
  const parsed = parseInput(mcpTools[name].input, input ?? {}) as McpToolInput<Name>; // parsed by the schema that the type is inferred from
  return runs[name](parsed, caller);
}

function describeError({ code, message, details }: RelayError): string {
  return details === undefined ? `${code}: ${message}` : `${code}: ${message} ${JSON.stringify(details)}`;
}

function toolRuns(relay: McpToolsDeps['relay']): ToolRuns {
  const { handlers } = relay;
  const inbox = new InboxReader(relay);
  return {
    relay_send: async ({ waitForAnswerMs, ...request }, caller) => {
      // Before it is sent: afterwards a refusal would read as if it was not.
      if (waitForAnswerMs) assertAccess({ scope: 'events:read', anonymous: false }, caller.context.principal);
      const sent = await handlers['messages/send']({ ...request, from: caller.agentId, ...keyOf(caller) }, caller.context);
      if (waitForAnswerMs === undefined || waitForAnswerMs === 0) return tellSent(sent);
      const answer = await waitForAnswer(relay, sent.id, waitForAnswerMs, caller);
      const told = answer === null ? modelText`No answer yet. It will reach you as a message.` : await inbox.present(answer, caller);
      return modelText`${tellSent(sent)}\n${told}`;
    },
    relay_reply: async ({ messageId, body, mode }, caller) => {
      const optional = mode === undefined ? {} : { mode };
      const answer = { replyTo: messageId, body, from: caller.agentId, ...optional, ...keyOf(caller) };
      return tellSent(await handlers['messages/send'](answer, caller.context));
    },
    relay_inbox: (request, caller) => inbox.read(request, caller),
    relay_verify: async ({ messageId }, { agentId, context }) =>
      describeVerification(await handlers['messages/verify']({ id: messageId, agentId }, context)),
    relay_agents: async ({ status, ...filter }, { agentId, context }) => {
      const { data, nextCursor } = await handlers['agents/list'](filter, context);
      const isReached = (agent: (typeof data)[number]) => status === 'all' || agent.status !== 'offline' || agent.wake !== undefined;
      const described = describeAgents(data.filter(isReached), agentId);
      return nextCursor === undefined ? described : modelText`${described}\nThere are more: ask for those with a capability or a tag.`;
    },
    relay_claim: async ({ messageId }, { agentId, guard, context }) =>
      describeClaim(await handlers['messages/claim']({ id: messageId, agentId, ...guard }, context)),
    relay_complete: async ({ claimId: id, ...request }, { agentId, guard, context }) =>
      describeClaim(await handlers['claims/complete']({ id, ...request, agentId, ...guard }, context)),
    relay_work: (request, caller) => workTool(handlers, request, caller),
    relay_reserve: (request, caller) => reserveTool(handlers, request, caller),
    relay_search: (request, caller) => searchTool(handlers, request, caller),
    relay_status: (request, caller) => statusTool(handlers, request, caller),
    relay_pair: (request, caller) => pairTool(handlers, request, caller),
    relay_spawn: (request, caller) => spawnAgent(handlers, request, caller),
    relay_interrupt: (request, caller) => interruptSpawned(handlers, request, caller),
    relay_release: (request, caller) => releaseSpawned(handlers, request, caller),
  };
}
