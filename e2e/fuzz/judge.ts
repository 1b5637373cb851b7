import { errorTable, isErrorCode, type Route } from 'agent-relay-protocol';
import type { z } from 'zod';
import type { HttpAnswer } from './http-connection.ts';
import type { Target } from './targets.ts';

/** Where an answer may carry a token: what was asked for is one. */
const makesTokens = new Set(['agents/register', 'tokens/create', 'login/create', 'sessions/invite']);
const tokenShape = /\bar_[a-z]+_[\w-]{30,}/u;
const insides =
  /(?:\n|\\n)\s+at [^\n]+:\d+:\d+|node:internal\/|\/dist\/[\w-]+\.js|SQLITE_[A-Z]+|\b(?:SELECT|INSERT INTO|DELETE FROM|UPDATE) [\w"* ]+|no such column/u;
/** What a relay may be unable to do although it works: reach the machine that runs an agent. */
const unavailable = new Set(['node_unavailable', 'provider_unavailable']);
/** Checking the shape of a page of a thousand rows costs more than making it. */
const LONGEST_CHECKED = 20_000;

interface Asked {
  readonly target: Pick<Target, 'name' | 'answers'> & { readonly route?: Pick<Route, 'output' | 'status'> };
  /** As it was sent: a spoiled request may have asked something else. */
  readonly method: string;
  readonly path: string;
  /** Nothing was done to path, method or headers: it was answered by the target. */
  readonly isAimed: boolean;
}

/** Everything that is wrong with an answer, in words; secrets are texts that no answer may hold. */
export function faultsOf({ target, method, path, isAimed }: Asked, answer: HttpAnswer, secrets: readonly string[]): readonly string[] {
  const { status, text } = answer;
  const faults = leaksIn(text, secrets, makesTokens.has(target.name));
  if (status === 0) return [...faults, 'no HTTP'];
  if (method === 'HEAD' || status === 204 || answer.isStream) return status >= 500 ? [...faults, `status ${status}`] : faults;
  const isPage = !/^\/(?:api\/|mcp|metrics|ws)/u.test(path);
  const body = parsed(text);
  if (status >= 400) {
    if (isPage && status === 404) return faults;
    return [...faults, ...(target.answers === 'rpc' && isRpcError(body) ? [] : errorFaults(status, body))];
  }
  if (!isAimed || !target.route) return faults;
  return [...faults, ...successFaults(target.route, status, body, text.length)];
}

const isRpcError = (body: unknown): boolean => Reflect.get(Object(body), 'jsonrpc') === '2.0';

function leaksIn(text: string, secrets: readonly string[], mayHoldToken: boolean): string[] {
  const faults: string[] = [];
  if (insides.test(text)) faults.push(`tells of its insides: ${insides.exec(text)?.[0].slice(0, 100)}`);
  if (!mayHoldToken && tokenShape.test(text)) faults.push('tells a token');
  if (secrets.some((secret) => text.includes(secret))) faults.push('tells a secret of the configuration');
  return faults;
}

function errorFaults(status: number, body: unknown): string[] {
  const error: unknown = Reflect.get(Object(body), 'error');
  const { code, message, issues } = Object(error) as Record<string, unknown>; // whatever it is, its fields are looked at one by one
  if (!isErrorCode(code)) return [`status ${status} without a code of the table`];
  const faults: string[] = [];
  if (errorTable[code].httpStatus !== status) faults.push(`${code} with status ${status}`);
  if (status >= 500 && !unavailable.has(code)) faults.push(`status ${status} ${code}`);
  if (typeof message !== 'string' || message === '' || message.length > 2_000) faults.push(`${code} without a sentence`);
  if (code === 'validation_failed' && !namesAField(issues)) faults.push('validation_failed that names no field');
  return faults;
}

const namesAField = (issues: unknown): boolean =>
  Array.isArray(issues) &&
  issues.length > 0 &&
  issues.every((issue) => typeof issue?.path === 'string' && typeof issue?.message === 'string');

function successFaults(
  { output, status: declared = 200 }: Pick<Route, 'output' | 'status'>,
  status: number,
  body: unknown,
  length: number,
): string[] {
  if (length > LONGEST_CHECKED) return [];
  const shape = shapeFaults(output, body);
  if (shape.length > 0) return shape;
  const wanted = typeof declared === 'function' ? declared(body) : declared;
  return wanted === status ? [] : [`status ${status} where the table says ${wanted}`];
}

/** What a declared shape finds wrong with an answer. */
export function shapeFaults(schema: z.ZodType, body: unknown): string[] {
  const { error } = schema.safeParse(body);
  const [issue] = error?.issues ?? [];
  return issue ? [`an answer of another shape: ${issue.path.join('.')}: ${issue.message}`] : [];
}

/** What is wrong with a JSON-RPC message that answers a request of ours. */
export function rpcFaults(text: string, message: Record<string, unknown>, secrets: readonly string[], mayHoldToken: boolean): string[] {
  const faults = leaksIn(text, secrets, mayHoldToken);
  const { error } = message;
  if (error === undefined) return faults;
  const { code, data } = Object(error) as Record<string, unknown>; // its fields are looked at one by one
  const relayCode: unknown = Reflect.get(Object(data), 'code');
  if (!isErrorCode(relayCode)) return [...faults, `an error without a code of the table: ${JSON.stringify(error).slice(0, 200)}`];
  if (errorTable[relayCode].rpcCode !== code) faults.push(`${relayCode} with number ${code}`);
  if (errorTable[relayCode].httpStatus >= 500 && !unavailable.has(relayCode)) faults.push(`error ${relayCode}`);
  return faults;
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
