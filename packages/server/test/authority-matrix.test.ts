import { type McpToolName, mcpTools, RelayError, type RouteName, routes } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { afterAll, expect, test } from 'vitest';
import { acts, type Operation, others } from './support/authority-operations.ts';
import { type AuthorityWorld, nextChild, openAuthorityWorld, type Subject } from './support/authority-world.ts';
import { attachNode } from './support/fake-node.ts';
import { rawRequest } from './support/raw-http.ts';

/** The headers that somebody comes with. */
type Credential = Readonly<Record<string, string>>;

/** One line of the matrix: an operation, done to a subject. */
interface Line {
  readonly title: string;
  readonly name: RouteName;
  readonly subject: Subject;
  readonly operation: Operation;
}

const linesOf = (operations: Readonly<Record<string, Operation>>, subject: Subject): Line[] =>
  Object.entries(operations).map(([name, operation]) => ({ title: name, name: name as RouteName, subject, operation })); // keys of tables of routes

// What ends the agent comes last.
const tables: Readonly<Record<string, readonly Line[]>> = {
  'An agent that holds a token, and everything else': [...linesOf(others, 'held'), ...linesOf(acts, 'held')],
  'An agent that holds none': linesOf(acts, 'free'),
};
const ending: ReadonlySet<string> = new Set(['agents/release', 'agents/remove']);
/** Callers whose token goes with the agent's session. */
const ofItsSession: ReadonlySet<string> = new Set(['its session', 'link to its log']);

/** How a refusal is written. */
const words: Readonly<Record<string, string>> = {
  unauthorized: '401',
  forbidden: '–',
  forbidden_scope: 'scope',
  forbidden_target: 'target',
};
const written = (code: string): string => words[code] ?? code;

async function overHttp(url: string, token: Credential, name: RouteName, input: Record<string, unknown>): Promise<string> {
  const { method, path } = routes[name];
  const rest = { ...input };
  const filled = path.replace(/:(\w+)/gu, (_, key: string) => {
    const value = String(rest[key]);
    delete rest[key];
    return encodeURIComponent(value);
  });
  const hasBody = method === 'POST' || method === 'PATCH';
  const fields = hasBody ? {} : Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, String(value)]));
  const query = new URLSearchParams(fields).toString();
  const { body } = await rawRequest(`${url}/api${filled}${query === '' ? '' : `?${query}`}`, {
    method,
    headers: { ...token, ...(hasBody ? { 'content-type': 'application/json' } : {}) },
    ...(hasBody ? { body: JSON.stringify(rest) } : {}),
  });
  return codeIn(body);
}

const codeIn = (body: unknown): string => {
  const { error } = (body ?? {}) as { error?: { code?: string } }; // the one error body, or an answer
  return error?.code === undefined ? '✓' : written(error.code);
};

type Call = (token: Credential, method: RouteName, input: Record<string, unknown>) => Promise<string>;

/** Calls over one socket for as long as it speaks for the same token and is open. */
function socketCalls(url: string): {
  readonly call: (token: Credential, method: string, input: object) => Promise<string>;
  readonly close: () => Promise<void>;
} {
  let open: { readonly peer: JsonRpcPeer; readonly token: Credential } | null = null;
  const close = async () => {
    await open?.peer.close();
    open = null;
  };
  const call = async (token: Credential, method: string, input: object) => {
    try {
      if (open && JSON.stringify(open.token) !== JSON.stringify(token)) await close();
      open ??= { peer: new JsonRpcPeer(await connectWebSocket(`${url.replace('http', 'ws')}/ws`, { headers: token })), token };
      await open.peer.request(method, input);
      return '✓';
    } catch (error) {
      if (error instanceof RelayError) return written(error.code);
      throw error;
    }
  };
  return { call, close };
}

async function overMcp(url: string, token: Credential, name: string, input: object): Promise<string> {
  const { body } = await rawRequest(`${url}/mcp`, {
    method: 'POST',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: input } }),
  });
  const { result } = body as { result?: { isError?: boolean; content: { text: string }[] } }; // an MCP answer, or the one error body
  if (!result) return codeIn(body);
  return result.isError ? written(/^\w+/u.exec(result.content[0]?.text ?? '')?.[0] ?? '?') : '✓';
}

const streams: Readonly<Record<string, (world: AuthorityWorld) => object>> = {
  'events/subscribe': () => ({}),
  'activity/subscribe': () => ({ id: 'held' }),
  'inbox/subscribe': () => ({ id: 'held' }),
};

async function overSse(url: string, token: Credential): Promise<string> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/events`, { headers: token, signal: stop.signal });
  const code = response.ok ? '✓' : codeIn(await response.json());
  stop.abort();
  return code;
}

const worlds: AuthorityWorld[] = [];
afterAll(() => Promise.all(worlds.map((world) => world.close())));

async function openWorld(): Promise<AuthorityWorld> {
  const world = await openAuthorityWorld();
  worlds.push(world);
  return world;
}

/** What one caller gets for everything, by line. */
async function columnOf(world: AuthorityWorld, caller: string, call: Call): Promise<Map<string, string>> {
  const column = new Map<string, string>();
  const tokenOf = world.callers[caller];
  if (!tokenOf) throw new Error(caller);
  let token = await tokenOf();
  for (const [table, lines] of Object.entries(tables)) {
    for (const { title, name, subject, operation } of lines) {
      const input = await operation(world, subject);
      column.set(`${table} ${title}`, await call(token, name, input));
      if (!ending.has(name)) continue;
      await world.revive();
      if (ofItsSession.has(caller)) token = await tokenOf();
    }
  }
  return column;
}

const render = (title: string, callers: readonly string[], rows: readonly (readonly string[])[]): string => {
  const all = [[title, ...callers], ...rows];
  const widths = [title, ...callers].map((_, index) => Math.max(...all.map((row) => row[index]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`;
  return [line(all[0] ?? []), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
};

const intro = `# Who may what

Every operation, called by everybody who may come, over HTTP and again over the WebSocket, where the answer is the same; then what exists on one
transport alone. Written by \`test/authority-matrix.test.ts\`: a change here is a change of rights, to be reviewed as one.

\`held\` is an agent that a machine runs and a token protects, \`free\` one that nobody holds a token of. *Its* session, spawner and machine are those of
\`held\`. What is asked in an agent's name is asked in that of the agent of the table.

✓ it is done · 401 \`unauthorized\` · scope \`forbidden_scope\` · target \`forbidden_target\` · – \`forbidden\` · any other word: the code
`;

test('the matrix of operations and callers is the one that was reviewed, over every transport', async () => {
  // The third is for machines alone: one that attaches takes the place of another.
  const [first, second, third] = await Promise.all([openWorld(), openWorld(), openWorld()]);
  const callers = Object.keys(first.callers);
  const columns: Map<string, string>[] = [];
  const one: Map<string, string>[] = [];
  for (const caller of callers) {
    const sockets = socketCalls(second.relay.url);
    const [http, socket] = await Promise.all([
      columnOf(first, caller, (token, name, input) => overHttp(first.relay.url, token, name, input)),
      columnOf(second, caller, sockets.call),
    ]);
    await sockets.close();
    expect([caller, Object.fromEntries(socket)]).toEqual([caller, Object.fromEntries(http)]);
    columns.push(http);
    const alone = await onOneTransport(first, (await first.callers[caller]?.()) ?? {});
    one.push(alone.set('socket nodes/attach', await attachCode(third.relay.url, (await third.callers[caller]?.()) ?? {})));
  }
  const parts = Object.entries(tables).map(([title, lines]) =>
    render(
      title,
      callers,
      lines.map((line) => [line.title, ...columns.map((column) => column.get(`${title} ${line.title}`) ?? '?')]),
    ),
  );
  const rows = [...(one[0]?.keys() ?? [])];
  const rest = render(
    'On one transport',
    callers,
    rows.map((row) => [row, ...one.map((column) => column.get(row) ?? '?')]),
  );
  await expect(`${intro}\n${[...parts, rest].join('\n\n')}\n`).toMatchFileSnapshot('./authority-matrix.md');
}, 400_000);

const tools: Readonly<Record<McpToolName, (world: AuthorityWorld) => object | Promise<object>>> = {
  relay_send: () => ({ to: 'partner', body: 'x' }),
  relay_reply: async ({ owner }) => ({ messageId: (await owner.messages.send({ to: 'held', body: 'x' })).id, body: 'x' }),
  relay_inbox: () => ({}),
  relay_verify: async ({ owner }) => ({ messageId: (await owner.messages.send({ to: 'held', body: 'x' })).id }),
  relay_agents: () => ({}),
  relay_claim: async ({ owner }) => ({ messageId: (await owner.messages.send({ to: 'broadcast', body: 'x', claimable: true })).id }),
  relay_complete: () => ({ claimId: 'none', fence: 1 }),
  relay_work: () => ({ action: 'list' }),
  relay_reserve: () => ({ action: 'list' }),
  relay_search: () => ({ text: 'x' }),
  relay_status: () => ({}),
  relay_pair: () => ({ action: 'status' }),
  relay_spawn: () => ({ name: nextChild(), provider: 'claude' }),
  relay_interrupt: () => ({ name: 'held' }),
  relay_release: () => ({ name: 'held' }),
};

async function onOneTransport(world: AuthorityWorld, token: Credential): Promise<Map<string, string>> {
  const { url } = world.relay;
  const column = new Map([['server-sent events', await overSse(url, token)]]);
  const sockets = socketCalls(url);
  for (const [name, input] of Object.entries(streams)) column.set(`socket ${name}`, await sockets.call(token, name, input(world)));
  await sockets.close();
  for (const name of Object.keys(mcpTools) as McpToolName[]) {
    column.set(`tool ${name}`, await overMcp(url, token, name, await tools[name](world)));
    if (name === 'relay_release') await world.revive();
  }
  return column;
}

/** Under a name of its own: a machine's token names its machine whatever it says, and takes over its link. */
async function attachCode(url: string, token: Credential): Promise<string> {
  try {
    const { peer } = await attachNode(url, token, 'newcomer');
    await peer.close();
    return '✓';
  } catch (error) {
    if (error instanceof RelayError) return written(error.code);
    throw error;
  }
}
