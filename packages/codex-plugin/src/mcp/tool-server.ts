import { MCP_PATH, MCP_SERVER_NAME, mcpTools, RELAY_VERSION } from 'agent-relay-protocol';
import { lenient } from 'agent-relay-wire';
import { z } from 'zod';
import { relayFetch } from '../relay/relay-fetch.ts';
import { readSession } from '../session/stored-session.ts';

const Message = z.looseObject({ id: z.union([z.string(), z.number()]).optional(), method: z.string(), params: z.unknown() });
/** Codex says with each call which conversation it is of (0.169). */
const Call = z.looseObject({
  _meta: lenient(
    z.looseObject({ 'x-codex-turn-metadata': lenient(z.looseObject({ thread_id: lenient(z.string()), session_id: lenient(z.string()) })) }),
  ),
});
const protocolVersion = z.looseObject({ protocolVersion: z.string() });
const newest = '2025-06-18';

/**
 * Answers one MCP message of a plain Codex session, null for what needs no answer. The tools are the relay's; a call goes there as the agent
 * that the session's hooks registered.
 */
export async function answerToolMessage(line: string, env: Readonly<Record<string, string | undefined>>): Promise<string | null> {
  const message = Message.safeParse(read(line)).data;
  if (message?.id === undefined) return null;
  const { id, method, params } = message;
  const result = (value: object) => JSON.stringify({ jsonrpc: '2.0', id, result: value });
  switch (method) {
    case 'initialize': {
      const asked = protocolVersion.safeParse(params).data?.protocolVersion ?? newest;
      return result({
        protocolVersion: asked > newest ? newest : asked,
        capabilities: { tools: {} },
        serverInfo: { name: MCP_SERVER_NAME, version: RELAY_VERSION },
      });
    }
    case 'ping':
      return result({});
    case 'tools/list':
      return result({ tools });
    case 'tools/call':
      return (await call(line, params, env)) ?? result(failure(notAnAgent));
    default:
      return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: `There is no ${method} here` } });
  }
}

const tools = Object.entries(mcpTools).map(([name, { description, input, readOnly }]) => ({
  name,
  description,
  inputSchema: z.toJSONSchema(input, { io: 'input' }),
  annotations: { readOnlyHint: readOnly },
}));

const notAnAgent =
  'This session is no agent of a relay: its hooks are not trusted (/hooks in Codex), the relay was away when it began, or it has tools of its own.';
/** What the relay says instead where it refuses the caller. */
const Refusal = z.looseObject({ error: z.looseObject({ message: z.string() }) });
const away = 'The relay is away. Whether this was done is not known: look before you do it again.';
const failure = (text: string) => ({ content: [{ type: 'text', text }], isError: true });

/** Null when nobody here is the agent of the session. */
async function call(line: string, params: unknown, env: Readonly<Record<string, string | undefined>>): Promise<string | null> {
  const said = Call.safeParse(params).data?._meta?.['x-codex-turn-metadata'];
  const threadId = said?.thread_id ?? said?.session_id;
  const session = threadId === undefined || threadId === null ? null : readSession(env, threadId);
  if (session === null) return null;
  const { id } = Message.parse(read(line));
  const failed = (text: string) => JSON.stringify({ jsonrpc: '2.0', id, result: failure(text) });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${session.token}` };
  try {
    const answer = await relayFetch({ ...env, AGENT_RELAY_URL: session.url }, session.token)(new URL(MCP_PATH, session.url), {
      method: 'POST',
      headers,
      body: line,
    });
    const body = read(await answer.text());
    // What Codex cannot read as the answer to its call it would wait for.
    if (z.looseObject({ jsonrpc: z.literal('2.0'), id: z.literal(id) }).safeParse(body).success) return JSON.stringify(body);
    return failed(`The relay refused this: ${Refusal.safeParse(body).data?.error.message ?? `HTTP ${answer.status}`}`);
  } catch {
    return failed(away);
  }
}

function read(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
