export type {
  ActivityEntry,
  ActivityWatchers,
  Agent,
  AgentEvent,
  Approval,
  Channel,
  ChannelBinding,
  ChannelDirection,
  Claim,
  Delivery,
  ErrorCode,
  InboxItem,
  Message,
  MessageDetail,
  Node,
  RelayEvent,
  SendMessage,
  SentMessage,
  Session,
  Stats,
} from 'agent-relay-protocol';
export { RelayError } from 'agent-relay-protocol';
export { type EnvelopePart, readEnvelopes } from 'agent-relay-wire';
export type { ActivityOptions } from './activity.ts';
export { AgentHandle, type OutgoingMessage } from './agent-handle.ts';
export type { Call, RelayCalls } from './calls.ts';
export { ChannelHandle, type IncomingMail } from './channel-handle.ts';
export { ClaimHandle } from './claim-handle.ts';
export type { EventsOptions } from './event-stream.ts';
export type { InboxOptions } from './inbox.ts';
export { listAll } from './list-all.ts';
export type { CallOptions, ConnectSocket, LivenessOptions, RelayClientOptions, VersionSeen } from './options.ts';
export { OutgoingMail } from './outgoing-mail.ts';
export { type ChannelOptions, createRelayClient, type RegisterOptions, type RelayClient } from './relay-client.ts';
export type { Difference, PlayedAct } from './run/difference.ts';
export { readRun } from './run/read-run.ts';
export type { RecordOptions } from './run/reading.ts';
export { recordRun } from './run/record-run.ts';
export { type Replayed, type ReplayOptions, replayRun } from './run/replay-run.ts';
