import { z } from 'zod';
import { SessionGuardSchema } from './agent.ts';
import { AgentIdSchema } from './primitives.ts';
import type { Scope } from './principal.ts';

export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/**
 * How long a call may be kept waiting because of what it asks for: `ms`. With a `field` it waits only where that is set, and as long as that says itself, as a
 * number or in its `timeoutMs`.
 */
export interface Wait<Field extends string = string> {
  readonly ms?: number;
  readonly field?: Field;
}

/**
 * One operation, declared once: HTTP serves it at `/api` + `path`, the WebSocket under its key as the JSON-RPC method, the client as a typed call.
 * `input` is one strict object: path parameters, query and body merged. `anonymous` says whether a tokenless program on loopback may call it.
 */
export interface Route<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly method: HttpMethod;
  readonly path: string;
  /** What a token must have; null for what every caller may use. */
  readonly scope: Scope | null;
  /** Scopes that open this route as well, e.g. those of older integrations. */
  readonly alsoScopes?: readonly Scope[];
  readonly anonymous: boolean;
  /** Whether a link to one session's log opens it, for that session; nothing else is opened by one, whatever its scope. */
  readonly shared?: boolean;
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
  /** The HTTP status of success; a function looks at the output. Defaults to 200. */
  readonly status?: number | ((output: z.output<Output>) => number);
  /** What a status function may answer, and what each means. Default: 200 for what was there already, 201 for what is new. */
  readonly statuses?: Readonly<Record<number, string>>;
  /** Fields that older programs send, each with what it is called now. Over HTTP they are in the path, whose words do not show. */
  readonly formerly?: Readonly<Record<string, string>>;
  /** A caller's time limit begins after that. Default: it waits for nothing. */
  readonly wait?: Wait;
}

/** What who calls a route has to know of it. */
export type CallableRoute = Pick<Route, 'method' | 'path' | 'scope' | 'alsoScopes' | 'anonymous' | 'wait'>;

type Waiting<Input extends z.ZodType> = { readonly wait?: Wait<Extract<keyof z.input<Input>, string>> };

export const route = <Input extends z.ZodType, Output extends z.ZodType>(
  definition: Route<Input, Output> & Waiting<Input>,
): Route<Input, Output> => definition;

/** For routes without input. */
export const nothing = z.strictObject({});

/** Who acts on something that is not the agent itself, and under which incarnation. */
export const actor = {
  agentId: AgentIdSchema.optional().describe("Who acts; an agent's token forces its own id"),
  ...SessionGuardSchema.shape,
};
