import type { z } from 'zod';
import { callTable } from './data/call-table.ts';
import type { routes } from './resources.ts';
import { waitIn } from './wait-in.ts';

export type Routes = typeof routes;
export type RouteName = keyof Routes;
/** What a caller sends. */
export type RouteRequest<Name extends RouteName> = z.input<Routes[Name]['input']>;
/** What a handler receives: parsed. */
export type RouteInput<Name extends RouteName> = z.output<Routes[Name]['input']>;
export type RouteOutput<Name extends RouteName> = z.output<Routes[Name]['output']>;

/** How long a relay may keep this call waiting because it was asked to, in milliseconds. A request that is none waits for nothing. */
export function waitMsOf(name: RouteName, request: object): number {
  return waitIn(callTable[name].wait ?? {}, request);
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
