import { type Attempt, askWhileAway, neverArrived } from 'agent-relay-client/node';
import { MCP_PATH, type McpToolName, VERSION_HEADER } from 'agent-relay-protocol';

export interface ToolRelayOptions {
  /** The relay's http(s) address. */
  readonly url: URL;
  readonly fetch: typeof globalThis.fetch;
  /** How long a call waits for a relay that is away. Default 60 000, as an agent's triggers do. */
  readonly waitMs?: number;
}

/** One JSON-RPC message of an agent. Asking again under the same key is the same asking. */
export interface ToolRequest {
  readonly message: unknown;
  readonly body: string;
  readonly key: string;
  /** Those of MCP, which say by which revision it is meant. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly status: number;
  readonly body: string;
}

/** What may be asked twice: it only reads, the relay knows it again by its key, or doing it twice is doing it once. */
const repeatable: Readonly<Record<McpToolName, boolean>> = {
  relay_send: true,
  relay_reply: true,
  relay_inbox: true,
  relay_verify: true,
  relay_agents: true,
  relay_claim: true,
  relay_complete: true,
  relay_work: true,
  relay_reserve: false,
  relay_search: true,
  relay_status: true,
  relay_pair: false,
  relay_spawn: false,
  relay_interrupt: false,
  relay_release: false,
};

/** The revision in which every request says by itself who asks; those before it begin with `initialize`. */
const STATELESS = '2026-07-28';
const itself = { name: 'relay-connect', version: '1' };
const envelope = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': STATELESS,
    'io.modelcontextprotocol/clientInfo': itself,
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};
const stateless = (method: string) => ({
  method,
  params: envelope,
  headers: { 'mcp-protocol-version': STATELESS, 'mcp-method': method },
});

/** What a runtime asks as it starts, in either way. */
const firstQuestions: readonly { readonly method: string; readonly params: object; readonly headers: Readonly<Record<string, string>> }[] =
  [
    { method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: itself }, headers: {} },
    { method: 'tools/list', params: {}, headers: {} },
    stateless('server/discover'),
    stateless('tools/list'),
  ];

/** A question, and the way it is asked in. */
const nameOf = ({ message, headers }: ToolRequest): string =>
  `${headers?.['mcp-protocol-version'] === STATELESS ? STATELESS : ''} ${callOf(message).method}`;

/** A failure of the relay's own that passes. The text of a tool's failure is for a model; this is for programs. */
const passing: ReadonlySet<unknown> = new Set(['connection_closed', 'store_unavailable']);

const WAIT_MS = 60_000;

/** The relay's MCP, for callers that cannot ask again: waits for it while it is away, and asks again what may be asked again. */
export class ToolRelay {
  readonly #options: ToolRelayOptions;
  /** What a session was answered last, by its token and the method: what a runtime asks as it starts is the same each time. */
  readonly #known = new Map<string, Map<string, object>>();

  constructor(options: ToolRelayOptions) {
    this.#options = options;
  }

  /** Asks what a runtime will ask first, until the signal aborts. A relay that does not answer now is asked again then. */
  async prepare(token: string, signal: AbortSignal): Promise<void> {
    const known = new Map<string, object>();
    this.#known.set(token, known);
    for (const { headers, method, params } of firstQuestions) {
      if (signal.aborted) return;
      const message = { jsonrpc: '2.0', id: 1, method, params };
      const asked = { message, body: JSON.stringify(message), key: method, headers };
      const outcome = await this.#once(token, asked, AbortSignal.any([signal, AbortSignal.timeout(2_000)]));
      if (outcome.type === 'answered') this.#learn(token, asked, outcome.answer);
    }
  }

  forget(token: string): void {
    this.#known.delete(token);
  }

  /** Answers always, for a relay that stays away with a sentence. Rejects with the signal's reason when nobody waits any more. */
  async ask(token: string, asked: ToolRequest, signal: AbortSignal): Promise<Answered> {
    const patience = AbortSignal.timeout(this.#options.waitMs ?? WAIT_MS);
    const attempt = async (): Promise<Attempt<Answered>> => {
      const outcome = await this.#once(token, asked, signal);
      if (outcome.type === 'answered') this.#learn(token, asked, outcome.answer);
      const known = outcome.type === 'answered' ? null : this.#recall(token, asked);
      return known ? { type: 'answered', answer: known } : outcome;
    };
    const options = { isRepeatable: isRepeatable(asked.message), isPatient: () => !patience.aborted, signal };
    const outcome = await askWhileAway(attempt, options);
    return outcome.type === 'answered' ? outcome.answer : givenUp(asked.message, outcome.mayHaveHappened);
  }

  async #once(token: string, { body, key, headers: said = {} }: ToolRequest, signal: AbortSignal): Promise<Attempt<Answered>> {
    const headers = {
      ...said,
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'idempotency-key': key,
    };
    // Where somebody points to is not asked: a relay would have this machine post to what only this machine reaches.
    const request = { method: 'POST', headers, body, signal, redirect: 'manual' } as const;
    try {
      const response = await this.#options.fetch(new URL(MCP_PATH, this.#options.url), request);
      const text = await response.text();
      const isOurs = response.headers.has(VERSION_HEADER);
      if (!isOurs || response.status === 503) return { type: isOurs ? 'refused' : 'lost' };
      if (passing.has(failureOf(text))) return { type: 'lost' };
      return { type: 'answered', answer: { status: response.status, body: text } };
    } catch (error) {
      return { type: neverArrived(error) ? 'refused' : 'lost' };
    }
  }

  #learn(token: string, asked: ToolRequest, { body }: Answered): void {
    const { method } = callOf(asked.message);
    if (!firstQuestions.some((first) => first.method === method)) return;
    const { result } = asObject(parsed(body));
    if (typeof result === 'object' && result !== null) this.#known.get(token)?.set(nameOf(asked), result);
  }

  #recall(token: string, asked: ToolRequest): Answered | null {
    const { id } = callOf(asked.message);
    const result = this.#known.get(token)?.get(nameOf(asked));
    return result === undefined ? null : { status: 200, body: JSON.stringify({ jsonrpc: '2.0', id, result }) };
  }
}

function isRepeatable(message: unknown): boolean {
  const { method, params } = callOf(message);
  if (method !== 'tools/call') return true;
  const name = params['name'];
  const actions = typeof name === 'string' ? repeatableActions.get(name) : undefined;
  if (actions) return actions.has(asObject(params['arguments'])['action']);
  return typeof name !== 'string' || !Object.hasOwn(repeatable, name) || repeatable[name as McpToolName]; // own keys of the table are names
}

/** Of the tools that are several in one. */
const repeatableActions: ReadonlyMap<string, ReadonlySet<unknown>> = new Map([
  ['relay_pair', new Set(['send', 'status'])],
  ['relay_reserve', new Set(['list', 'renew', 'release'])],
]);

/** What the agent is told when the relay stayed away: whether it may have happened is what it has to know. */
function givenUp(message: unknown, mayHaveHappened: boolean): Answered {
  const { method, id } = callOf(message);
  if (id === undefined) return { status: 202, body: '' };
  const text = mayHaveHappened
    ? 'The relay went away before it answered, and is not back. Whether this was done is not known: look before you do it again.'
    : 'The relay is away, and this was not done. Try again later.';
  const answer =
    method === 'tools/call' ? { result: { content: [{ type: 'text', text }], isError: true } } : { error: { code: -32000, message: text } };
  return { status: 200, body: JSON.stringify({ jsonrpc: '2.0', id, ...answer }) };
}

/** The code of a tool's failure, as the relay says it beside its text. */
function failureOf(body: string): unknown {
  const { _meta: meta } = asObject(asObject(parsed(body))['result']);
  return asObject(meta)['agent-relay/code'];
}

function callOf(message: unknown): { readonly method: string; readonly id: unknown; readonly params: Record<string, unknown> } {
  const { method, id, params } = asObject(message);
  return { method: typeof method === 'string' ? method : '', id, params: asObject(params) };
}

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}; // an object has members; each is looked at where it is used

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
