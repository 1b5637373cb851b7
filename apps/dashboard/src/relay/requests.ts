import type { RouteRequest } from 'agent-relay-protocol';

export type StartSessionRequest = RouteRequest<'sessions/start'>;
export type SendRequest = RouteRequest<'messages/send'>;
