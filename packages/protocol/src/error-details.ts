import { z } from 'zod';
import { ChannelBindingModeSchema } from './channel.ts';
import type { ErrorCode } from './error-table.ts';
import { EventResetSchema } from './event-reset.ts';
import { GuardRuleSchema, HoldStatusSchema } from './hold.ts';
import { loosely } from './loosely.ts';
import { PairStatusSchema } from './pair.ts';
import { AddressSchema, AgentIdSchema, GroupNameSchema, MessageIdSchema, OpaqueIdSchema, TimestampSchema } from './primitives.ts';
import { ScopeSchema } from './principal.ts';
import { PrincipalNameSchema } from './principal-name.ts';

/** What an error of any code may carry: the status of whatever answered, and the code itself where only a later version knows it. */
const common = { httpStatus: z.int(), unknownCode: z.string() };
const details = <Shape extends z.ZodRawShape>(shape: Shape) => z.object({ ...common, ...shape }).partial();
const none = details({});
const count = z.int().min(0);

/** What each code carries in `details`. Every field may be missing: not everybody who says a code knows it all. */
export const errorDetails = {
  parse_error: none,
  validation_failed: details({ ackedSeq: count.describe('Up to where the activity is stored') }),
  unauthorized: none,
  forbidden: none,
  forbidden_scope: details({ scope: ScopeSchema }),
  forbidden_target: details({ target: AddressSchema, channel: GroupNameSchema }),
  forbidden_origin: none,
  not_found: details({ near: z.string().describe('The id that was most likely meant') }),
  unknown_method: none,
  method_not_allowed: details({ allow: z.array(z.string()).readonly() }),
  timeout: details({ timeoutMs: z.number() }),
  already_claimed: details({ agentId: AgentIdSchema, claimId: OpaqueIdSchema, leaseExpiresAt: TimestampSchema }),
  already_resolved: details({
    status: z.string(),
    by: PrincipalNameSchema,
    resolvedAt: TimestampSchema,
  }),
  not_claimable: none,
  claim_closed: none,
  stale_fence: details({ fence: z.int().describe('The newest of that work') }),
  stale_session: details({ epoch: z.int().describe('That of the newer session') }),
  inbox_taken: none,
  busy: details({
    agentId: AgentIdSchema,
    with: AgentIdSchema,
    pairId: MessageIdSchema,
    status: PairStatusSchema,
    bindingId: OpaqueIdSchema,
    target: AddressSchema,
    mode: ChannelBindingModeSchema,
  }),
  agent_offline: none,
  pair_not_pending: details({ pairId: MessageIdSchema, status: PairStatusSchema }),
  pair_not_active: details({ pairId: MessageIdSchema, status: PairStatusSchema }),
  unbound_conversation: details({ channelId: AgentIdSchema, conversationId: z.string(), messageId: MessageIdSchema }),
  ambiguous_target: details({ candidates: z.array(AddressSchema) }),
  name_taken: none,
  idempotency_mismatch: details({ messageId: MessageIdSchema, holdId: MessageIdSchema, taskId: MessageIdSchema.nullable() }),
  message_held: details({ holdId: MessageIdSchema, rule: GuardRuleSchema, status: HoldStatusSchema }),
  gone: details(EventResetSchema.shape),
  payload_too_large: details({ maxBytes: count, maxCharacters: count, maxEventLength: count }),
  unsupported_media_type: none,
  misdirected_host: none,
  unsupported: none,
  rate_limited: details({ retryAfterMs: z.number() }),
  internal: none,
  provider_unavailable: none,
  node_unavailable: none,
  store_unavailable: none,
  store_full: none,
  connection_closed: details({
    code: z.int().describe('The close code of the connection'),
    reason: z.string(),
    url: z.string().describe('Where nobody answers'),
    databasePath: z.string().describe('Which no relay serves'),
  }),
  overloaded: details({ bufferedBytes: count, limit: count, maxConcurrentRequests: count }),
} as const satisfies Record<ErrorCode, z.ZodObject>;

export type ErrorDetails<Code extends ErrorCode> = z.input<(typeof errorDetails)[Code]>;

/** What an error of this code carries beside its words: nothing where it does not fit; null when the error has another code. */
export function detailsOf<Code extends ErrorCode>(
  { code: its, details }: { readonly code: ErrorCode; readonly details?: Readonly<Record<string, unknown>> },
  code: Code,
): ErrorDetails<Code> | null {
  if (its !== code) return null;
  // The other side may be of a later version.
  const reader = loosely<z.ZodType>(errorDetails[code]);
  // The schema found under a code makes exactly that code's details; the compiler cannot follow the key.
  return (reader.safeParse(details ?? {}).data ?? {}) as ErrorDetails<Code>;
}
