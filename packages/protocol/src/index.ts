export type { Abilities, SandboxKind, SandboxRequest, SpawnMode } from './abilities.ts';
export { AbilitiesSchema, SandboxKindSchema, SandboxRequestSchema, SpawnModeSchema } from './abilities.ts';
export type { Address } from './address.ts';
export { formatAddress, parseAddress } from './address.ts';
export type {
  Agent,
  AgentKind,
  AgentStatus,
  ApprovalMode,
  ChannelDirection,
  RegisterAgent,
  RegisteredAgent,
  SessionGuard,
  Stall,
} from './agent.ts';
export {
  AgentKindSchema,
  AgentSchema,
  AgentStatusSchema,
  ApprovalModeSchema,
  ChannelDirectionSchema,
  ChannelTransportSchema,
  MAX_AGENT_META_LENGTH,
  RegisterAgentSchema,
  RegisteredAgentSchema,
  SessionGuardSchema,
  StallSchema,
} from './agent.ts';
export type { ActivityEntry, AgentEvent, AgentEventType, ToolKind } from './agent-event.ts';
export {
  ActivityEntrySchema,
  AgentEventSchema,
  FileChangeSchema,
  ToolKindSchema,
  UsageSchema,
} from './agent-event.ts';
export type { Approval, ApprovalAnswer, ApprovalStatus, AskApproval, PendingApproval } from './approval.ts';
export { ApprovalAnswerSchema, ApprovalIdSchema, ApprovalSchema, AskApprovalSchema, ListedApprovalStatusSchema } from './approval.ts';
export type { ApprovalOption, FormAnswers, FormField } from './approval-form.ts';
export { ApprovalOptionSchema, approvalLimits, FormAnswersSchema, FormFieldSchema } from './approval-form.ts';
export type { ApprovalRule, CreateApprovalRule } from './approval-rule.ts';
export { ApprovalRuleSchema, CreateApprovalRuleSchema } from './approval-rule.ts';
export { asText, messageOf } from './as-text.ts';
export type { AuditEntry, AuditVerdict } from './audit.ts';
export { AuditEntrySchema, AuditVerdictSchema } from './audit.ts';
export type { Callback, CallbackEvent, CallbackStatus } from './callback.ts';
export { CallbackEventSchema, CallbackSchema, CallbackStatusSchema } from './callback.ts';
export type { Channel, ChannelBinding, ChannelBindingMode, ChannelMeta, OutsideSender } from './channel.ts';
export {
  ChannelBindingModeSchema,
  ChannelBindingSchema,
  ChannelMetaSchema,
  ChannelSchema,
  OutsideIdSchema,
  OutsideSenderSchema,
} from './channel.ts';
export type { Claim, HeldClaim } from './claim.ts';
export { ClaimSchema, LeaseMsSchema } from './claim.ts';
export { agentEventTypes } from './data/agent-event-types.ts';
export { callTable } from './data/call-table.ts';
export { relayEventTypes } from './data/relay-event-types.ts';
export type { Delivery, DeliveryEvidence, DeliveryReport, DeliveryState, HandedState, WaitFor } from './delivery.ts';
export {
  DEFAULT_WAIT_MS,
  DeliveryEvidenceSchema,
  DeliveryReportSchema,
  DeliverySchema,
  DeliveryStateSchema,
  WaitForSchema,
} from './delivery.ts';
export type { DialCode, Dialled } from './dial-in.ts';
export { CLAUDE_PATH, DIALLED_PATH, DIALLING_PROVIDER, DialCodeSchema, DialledSchema, RequestDialCodeSchema } from './dial-in.ts';
export type { ErrorDetails } from './error-details.ts';
export { detailsOf, errorDetails } from './error-details.ts';
export type { ErrorCode, ErrorMeaning } from './error-table.ts';
export { errorTable, isErrorCode } from './error-table.ts';
export type { ErrorBody, FieldIssue, RelayErrorOptions } from './errors.ts';
export { RelayError, relayErrorFromBody, toRelayError } from './errors.ts';
export type { EventReset } from './event-reset.ts';
export { EventResetSchema } from './event-reset.ts';
export type { FilePatterns, Same } from './file-pattern.ts';
export { FilePath, PatternSet, patternsHold, patternsOverlap } from './file-pattern.ts';
export type { GuardRule, HeldMessage, Hold, HoldStatus, OpenHold } from './hold.ts';
export { GuardRuleSchema, HeldMessageSchema, HoldSchema, HoldStatusSchema } from './hold.ts';
export type { Hook, HookActionType, HookOutcome, HookResult, HookTrigger, NodeHooks, RecentHookResult } from './hook.ts';
export {
  ANSWERED_AT_ONCE_MS,
  HOOK_MESSAGE_KIND,
  HOOK_OUTPUT_LENGTH,
  HookFieldsSchema,
  HookResultSchema,
  HookSchema,
  HookTriggerSchema,
  NodeHooksSchema,
  TestHookSchema,
} from './hook.ts';
export type { HookFields } from './hook-fields.ts';
export { describeOccurrence, exampleFields, fieldsOf, fillText, hookMailMode } from './hook-fields.ts';
export { RECENT_HOOK_RUNS } from './hook-limits.ts';
export { assertFieldsOf } from './hook-trial.ts';
export { machineTriggers, relayTriggers } from './hook-triggers.ts';
export type { ConfiguredHook, HookAction } from './hooks-file.ts';
export { describeHookAction, HooksFileSchema, hooksFileSchemaFor, RELAY_HOOKS } from './hooks-file.ts';
export { knownAgentEvent } from './known-agent-event.ts';
export type { KnownReservationsOptions, ListReservations, ReservationsCopy } from './known-reservations.ts';
export { KnownReservations } from './known-reservations.ts';
export {
  DEFAULT_LEASE_MS,
  DEFAULT_PAGE_SIZE,
  isLongerThan,
  LOOKED_AT_MS,
  MAX_HOLD_MS,
  MAX_LEASE_MS,
  MAX_PAGE_SIZE,
  MAX_TOOL_WAIT_MS,
} from './limits.ts';
export { loosely } from './loosely.ts';
export type { McpToolInput, McpToolName, McpTools } from './mcp-tools.ts';
export { mcpTools } from './mcp-tools.ts';
export type {
  DeliveryMode,
  Expectation,
  InboxItem,
  Message,
  MessageDetail,
  Relation,
  Sender,
  SendMessage,
  SentMessage,
} from './message.ts';
export {
  DeliveryModeSchema,
  ExpectationSchema,
  InboxItemSchema,
  LISTED_READERS,
  MessageDetailSchema,
  MessageSchema,
  RelationSchema,
  SenderSchema,
  SendMessageSchema,
  SentMessageSchema,
  TraceparentSchema,
} from './message.ts';
export { principalName } from './name-of-principal.ts';
export { nearest } from './nearest.ts';
export type { NodePairing, PairingOffer, PairingOutcome, RequestPairing } from './node-pairing.ts';
export {
  NODE_PAIRING_OUTCOME_PATH,
  NODE_PAIRING_PATH,
  NodePairingSchema,
  PairingCodeSchema,
  PairingOfferSchema,
  PairingOutcomeSchema,
  PairingSecretSchema,
  RequestPairingSchema,
} from './node-pairing.ts';
export { FIRST_NODE_ID, isOwnersNodeId } from './owners-node.ts';
export type { OpenPair, Pair, PairEndCause, PairStatus } from './pair.ts';
export { PairEndCauseSchema, PairSchema, PairStatusSchema } from './pair.ts';
export { clipPath, parseInput, readLoosely } from './parse.ts';
export { isRunner } from './plain-command.ts';
export { plainIssue } from './plain-issue.ts';
export { plainPath } from './plain-path.ts';
export {
  AddressSchema,
  AgentIdSchema,
  ConversationIdSchema,
  CursorSchema,
  EpochSchema,
  GroupNameSchema,
  LabelSchema,
  listOf,
  MAX_BODY_LENGTH,
  MAX_REQUEST_BYTES,
  MessageIdSchema,
  MetaSchema,
  ModelNameSchema,
  OpaqueIdSchema,
  PageLimitSchema,
  type StatusCounts,
  StatusCountsSchema,
  TimestampSchema,
} from './primitives.ts';
export type { Principal, Scope } from './principal.ts';
export { PrincipalSchema, ScopeSchema } from './principal.ts';
export { isPersonName, PERSON, PersonNameSchema, PrincipalNameSchema } from './principal-name.ts';
export { providerOver, providerTransports } from './provider-transport.ts';
export type { CreatePushSubscription, PushMessage, PushSubscription, PushTopic } from './push.ts';
export {
  CreatePushSubscriptionSchema,
  PushMessageSchema,
  PushPublicKeySchema,
  PushSecretSchema,
  PushSubscriptionSchema,
  PushTopicSchema,
  pushLimits,
} from './push.ts';
export type { Answerable, GivenAnswer, ReadAnswer } from './read-answer.ts';
export { fitsApproval, keptAnswers, readAnswer } from './read-answer.ts';
export type { InboxPush } from './read-inbox-push.ts';
export { readInboxPush } from './read-inbox-push.ts';
export { withRecentRun } from './recent-hook-runs.ts';
export type { EventFilter, RelayEvent, RelayEventType } from './relay-event.ts';
export { EventFilterSchema, RelayEventSchema } from './relay-event.ts';
export type { Reservation } from './reservation.ts';
export { CreateReservationSchema, NewReservationSchema, ReservationSchema } from './reservation.ts';
export type { Keeping, ReservationQuestion } from './reservation-question.ts';
export { isReservationHeld, keepingAmong, keptSentence, MOST_RESERVATION_STEPS } from './reservation-question.ts';
export { routes } from './resources.ts';
export type { CallableRoute, HttpMethod, Route, Wait } from './route.ts';
export {
  type Health,
  HealthSchema,
  type Setting,
  SettingSchema,
  type Stats,
  StatsSchema,
  type Version,
  VersionSchema,
} from './routes/system-routes.ts';
export { type WorkItem, WorkItemSchema } from './routes/work-routes.ts';
export type { RouteInput, RouteName, RouteOutput, RouteRequest, Routes } from './routes.ts';
export {
  API_PREFIX,
  EVENTS_PATH,
  MCP_PATH,
  routeNames,
  SHARED_PAGE,
  WEB_SOCKET_PATH,
  waitMsOf,
} from './routes.ts';
export type { RecordedAgent, RunRecord } from './run-record.ts';
export { RUN_RECORD_VERSION, RunRecordSchema } from './run-record.ts';
export type { Searched, SearchHit, Snippet } from './search.ts';
export { SearchedSchema, SearchHitSchema, SnippetSchema } from './search.ts';
export { Steps } from './sequences-meet.ts';
export type { Node, NodeLoad, NodeProvider, NodeTerms, Session, SessionStatus, SpawnerKind, SpawnTarget, StartSession } from './session.ts';
export {
  ARRIVAL_MS,
  NodeLoadSchema,
  NodeProviderSchema,
  NodeSchema,
  NodeTermsSchema,
  SessionSchema,
  SessionStatusSchema,
  SpawnerKindSchema,
  SpawnTargetSchema,
  StartSessionSchema,
  sessionLimits,
} from './session.ts';
export type { SetHook } from './set-hook.ts';
export type { CreatedShare, Share, SharedSession } from './share.ts';
export { CreatedShareSchema, CreateShareSchema, SharedSessionSchema, ShareSchema, shareLimits } from './share.ts';
export { isPlainFolder, questionAllowedBy, understood } from './standing-yes.ts';
export type { Integration, ReportEvent, ReportedEvent, Task, TaskEvent, TaskEventType, TaskStatus } from './task.ts';
export {
  IntegrationSchema,
  ListedTaskStatusSchema,
  NewTaskStatusSchema,
  ReportEventSchema,
  ReportedEventSchema,
  TaskEventSchema,
  TaskEventTypeSchema,
  TaskSchema,
  TaskStatusSchema,
  taskEventTypes,
} from './task.ts';
export type { CreatedToken, CreateToken, Token, TokenKind } from './token.ts';
export { CreatedTokenSchema, CreateTokenSchema, TokenKindSchema, TokenSchema } from './token.ts';
export { longestToolWaitMs, toolWaitMsOf } from './tool-waits.ts';
export { touchedFiles } from './touched-files.ts';
export type { UsageDay } from './usage.ts';
export { DaySchema, UsageDaySchema } from './usage.ts';
export type { Verification } from './verification.ts';
export { VerificationSchema } from './verification.ts';
export type { ProtocolRange } from './version.ts';
export {
  MIN_SUPPORTED_PROTOCOL,
  ownProtocols,
  PROTOCOL_HEADER,
  PROTOCOL_VERSION,
  RELAY_VERSION,
  sharedProtocol,
  VERSION_HEADER,
} from './version.ts';
export type { ActivityWatchers, SessionController } from './watching.ts';
export { ActivityWatchersSchema, SessionControllerSchema, SessionControllersSchema, watchingLimits } from './watching.ts';
export type {
  MethodParams,
  MethodRequest,
  MethodResult,
  NodeCommandName,
  NodeCommands,
  NodeMethodName,
  NodeMethods,
  NotificationParams,
  SocketMethodName,
  SocketMethods,
  SocketNotifications,
} from './web-socket.ts';
export { AUTHENTICATE_WITHIN_MS, nodeCommands, nodeMethods, nodeNotifications, socketMethods, socketNotifications } from './web-socket.ts';
export {
  DEFAULT_WORKSPACE,
  EVERY_CONVERSATION,
  MCP_SERVER_NAME,
  OWNER_AGENT_ID,
  pushTopics,
  RELAY_AGENT_ID,
  scopes,
} from './well-known.ts';
