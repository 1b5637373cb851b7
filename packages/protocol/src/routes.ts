import type { z } from 'zod';
import { routes } from './resources.ts';
import type { Route } from './route.ts';

export type Routes = typeof routes;
export type RouteName = keyof Routes;
/** What a caller sends. */
export type RouteRequest<Name extends RouteName> = z.input<Routes[Name]['input']>;
/** What a handler receives: parsed. */
export type RouteInput<Name extends RouteName> = z.output<Routes[Name]['input']>;
export type RouteOutput<Name extends RouteName> = z.output<Routes[Name]['output']>;

/** How long a relay may keep this call waiting because it was asked to, in milliseconds. A request that is none waits for nothing. */
export function waitMsOf(name: RouteName, request: object): number {
  const { waitMs = () => 0 }: Route = routes[name];
  const asked = waitMs(request);
  return Number.isFinite(asked) ? asked : 0;
}

export const routeNames = Object.keys(routes) as readonly RouteName[]; // `routes` is `as const`: its keys are exactly RouteName

/** The event stream over HTTP: `GET /api/events` with an EventFilter as its query, answered as SSE. `Last-Event-ID` stands for `after`. */
export const EVENTS_PATH = '/events';
/** Everything HTTP lives under this prefix; the WebSocket is at `/ws`, MCP at `/mcp`. */
export const API_PREFIX = '/api';
export const WEB_SOCKET_PATH = '/ws';
export const MCP_PATH = '/mcp';
