/**
 * What a code means on every wire. `closeCode` is the WebSocket close code when the error ends a connection,
 * `rpcCode` the JSON-RPC error number, `retryable` whether the same request may succeed later unchanged.
 */
export interface ErrorMeaning {
  /** In one sentence, for whoever reads the table. */
  readonly says: string;
  readonly httpStatus: number;
  readonly closeCode: number;
  readonly rpcCode: number;
  readonly retryable: boolean;
}

const meaning = (httpStatus: number, rpcCode: number, says: string, retryable = false): ErrorMeaning => ({
  says,
  httpStatus,
  closeCode: 4000 + httpStatus,
  rpcCode,
  retryable,
});

/** Every error Agent Relay can answer. A new one is one row here; all transports learn it from this table. */
export const errorTable = {
  parse_error: meaning(400, -32700, 'What was sent is not the JSON that this wire expects.'),
  validation_failed: meaning(400, -32602, 'A field is missing, unknown or wrong; `issues` names each by its path.'),
  unauthorized: meaning(401, -32001, 'No token, or one that is unknown, revoked or expired.'),
  forbidden: meaning(403, -32003, 'Whoever the token speaks for may not do this, whatever its scopes.'),
  forbidden_scope: meaning(403, -32003, 'The token lacks the scope that this needs.'),
  forbidden_target: meaning(403, -32003, 'The token may not address this agent, group or channel.'),
  forbidden_origin: meaning(403, -32003, 'A browser page of another origin asked.'),
  not_found: meaning(404, -32004, 'There is nothing of that name here, or it belongs to another workspace.'),
  unknown_method: meaning(404, -32601, 'There is no method or path of that name here.'),
  method_not_allowed: meaning(405, -32601, 'The path is there, but not for this HTTP method.'),
  timeout: meaning(408, -32008, 'No answer came in time; whether it was done is not known.', true),
  already_claimed: meaning(409, -32009, 'Somebody else holds the work, until their lease ends.'),
  already_resolved: meaning(409, -32009, 'The question or the held message has been decided before.'),
  not_claimable: meaning(409, -32009, 'The message offers no work.'),
  claim_closed: meaning(409, -32009, 'The work, or this claim on it, is over.'),
  stale_fence: meaning(409, -32009, 'A later claim on the same work has taken over; this one may write no more.'),
  stale_session: meaning(409, -32009, 'A newer session of the agent, or a newer connection of the node, has taken over.'),
  inbox_taken: meaning(409, -32009, 'Another connection fetches the mail of this agent at the moment.', true),
  busy: meaning(409, -32009, 'Something else is in the way and has to end or be removed first.'),
  agent_offline: meaning(409, -32009, 'The agent would have to be there for this, and is not.', true),
  pair_not_pending: meaning(409, -32009, 'The invitation is no longer open.'),
  pair_not_active: meaning(409, -32009, 'The two agents are not in a live pair now.'),
  unbound_conversation: meaning(409, -32009, 'Nobody is bound to this conversation of the channel, or the message belongs to none.'),
  ambiguous_target: meaning(409, -32009, 'Several agents are called so; name one of the candidates.'),
  name_taken: meaning(409, -32009, 'The id is somebody else’s already.'),
  idempotency_mismatch: meaning(409, -32009, 'The idempotency key was used before, with other content.'),
  message_held: meaning(409, -32009, 'The loop guard keeps the message until a person decides; sending it again changes nothing.'),
  gone: meaning(410, -32010, 'The log cannot be continued from this cursor; take a new snapshot.'),
  payload_too_large: meaning(413, -32013, 'What was sent, or would have to be answered at once, is too long.'),
  unsupported_media_type: meaning(415, -32602, 'The body is not plain `application/json`.'),
  misdirected_host: meaning(421, -32003, 'The relay does not answer under this host name.'),
  unsupported: meaning(422, -32602, 'This version, or this setup of it, cannot do that.'),
  rate_limited: meaning(429, -32029, 'Too many in too short a time; wait as long as the details say.', true),
  internal: meaning(500, -32603, 'A fault of the program that answers; what went wrong is in its log.'),
  provider_unavailable: meaning(503, -32053, 'The machine cannot start that kind of agent now.', true),
  node_unavailable: meaning(503, -32053, 'The machine is not connected, or was lost before it answered.', true),
  store_unavailable: meaning(503, -32053, 'The relay cannot write or read its database now.', true),
  store_full: meaning(507, -32053, 'The disk of the relay is full.', true),
  connection_closed: meaning(503, -32000, 'The other side cannot be reached, or the connection ended before an answer came.', true),
  overloaded: meaning(503, -32000, 'More waits than may; try again later, or read faster.', true),
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorTable;

export const isErrorCode = (value: unknown): value is ErrorCode => typeof value === 'string' && Object.hasOwn(errorTable, value);
