import type { z } from 'zod';
import { callTable } from './data/call-table.ts';
import { toolWaits } from './data/tool-waits.ts';
import { MAX_TOOL_WAIT_MS } from './limits.ts';
import type { routes } from './resources.ts';
import type { Wait } from './route.ts';

export type Routes = typeof routes;
export type RouteName = keyof Routes;
/** What a caller sends. */
export type RouteRequest<Name extends RouteName> = z.input<Routes[Name]['input']>;
/** What a handler receives: parsed. */
export type RouteInput<Name extends RouteName> = z.output<Routes[Name]['input']>;
export type RouteOutput<Name extends RouteName> = z.output<Routes[Name]['output']>;

/** How long a relay may keep this call waiting because it was asked to, in milliseconds. A request that is none waits for nothing. */
export function waitMsOf(name: RouteName, request: object): number {
  return timeIn(callTable[name].wait ?? {}, request);
}

/** The same of a tool of the relay's, whatever it is called with. */
export function toolWaitMsOf(name: string, input: unknown): number {
  const wait = Object.hasOwn(toolWaits, name) ? toolWaits[name] : undefined;
  return timeIn(wait ?? {}, typeof input === 'object' && input !== null ? input : {});
}

/** The longest that any tool of the relay's may be kept waiting, for those who have one limit for all. */
export const LONGEST_TOOL_WAIT_MS = Math.max(MAX_TOOL_WAIT_MS, ...Object.values(toolWaits).map(({ ms = 0 }) => ms));

function timeIn({ field, ms = 0 }: Wait, request: object): number {
  if (field === undefined) return ms;
  const said: unknown = Reflect.get(request, field);
  if (typeof said === 'number') return Number.isFinite(said) ? said : 0;
  if (said === undefined || said === null || said === false) return 0;
  const inIt = typeof said === 'object' && 'timeoutMs' in said ? said.timeoutMs : undefined;
  return typeof inIt === 'number' && Number.isFinite(inIt) ? inIt : ms;
}

export const routeNames = Object.keys(callTable) as readonly RouteName[]; // a record of exactly these

/** The event stream over HTTP: `GET /api/events` with an EventFilter as its query, answered as SSE. `Last-Event-ID` stands for `after`. */
export const EVENTS_PATH = '/events';
/** Everything HTTP lives under this prefix; the WebSocket is at `/ws`, MCP at `/mcp`. */
export const API_PREFIX = '/api';
export const WEB_SOCKET_PATH = '/ws';
export const MCP_PATH = '/mcp';
/** The page of the dashboard that opens a link to a log; its code is in the fragment. */
export const SHARED_PAGE = '/shared';
