export { CodexAdapter, type CodexAdapterOptions, type CodexAgentMessage } from './adapter/codex-adapter.ts';
export type { CodexAgent } from './adapter/codex-agent.ts';
export type { StartAppServerOptions } from './app-server/codex-app-server.ts';
export { CodexAppServer } from './app-server/codex-app-server.ts';
export type { CodexClientOptions } from './app-server/codex-client.ts';
export { CodexClient } from './app-server/codex-client.ts';
export type { CodexRequestOptions } from './app-server/codex-requester.ts';
export type { CodexThread, ThreadOptions } from './app-server/codex-thread.ts';
export type { ClientInfo } from './app-server/connection.ts';
export type { CodexEndpoint, EndpointSource } from './app-server/endpoint.ts';
export { parseEndpoint } from './app-server/endpoint.ts';
export { isRefusedForNow, isThreadInUse } from './app-server/errors.ts';
export type { KnownItem, ThreadItem } from './app-server/items.ts';
export type { Launched, LaunchOptions } from './app-server/launch.ts';
export { launch } from './app-server/launch.ts';
export type {
  ApprovalPolicy,
  CodexModel,
  ConfigValue,
  ItemEntry,
  ResumeThreadParams,
  SandboxMode,
  SandboxPolicy,
  StartThreadParams,
  StartTurnParams,
  ThreadConfig,
} from './app-server/methods.ts';
export type { FindCodexOptions } from './app-server/native-binary.ts';
export { findCodex } from './app-server/native-binary.ts';
export type { CodexNotification, KnownNotification, Turn } from './app-server/notifications.ts';
export { parseNotification } from './app-server/notifications.ts';
export type { DeathLimit } from './app-server/server-keeper.ts';
export type { AnswerServerRequest, ServerRequest } from './app-server/server-requests.ts';
export type { ThreadRecovery } from './app-server/thread-recovery.ts';
export type { ThreadState } from './app-server/thread-state.ts';
export type { CodexProviderOptions } from './provider/codex-provider.ts';
export { CodexProvider } from './provider/codex-provider.ts';
export type { CodexExecProviderOptions } from './provider/exec/exec-provider.ts';
export { CodexExecProvider } from './provider/exec/exec-provider.ts';
