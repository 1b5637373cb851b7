import type { RouteRequest } from 'agent-relay-protocol';

export type StartSessionRequest = RouteRequest<'sessions/start'>;
export type SendRequest = RouteRequest<'messages/send'>;
export type EndTaskRequest = Pick<RouteRequest<'tasks/status'>, 'id' | 'result'> & { readonly status: 'done' | 'failed' | 'canceled' };
export type CreateTokenRequest = RouteRequest<'tokens/create'>;
export type AnswerApprovalRequest = RouteRequest<'approvals/resolve'>;
export type BindRequest = RouteRequest<'channels/bind'>;
