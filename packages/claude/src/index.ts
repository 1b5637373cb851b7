export { type AcceptClaudeOptions, type AcceptedClaudeSession, acceptClaude } from './provider/accept-claude.ts';
export { ClaudeProvider, type ClaudeProviderOptions } from './provider/claude-provider.ts';
export type { ClaudeSession } from './provider/claude-session.ts';
export { type ClaudeDialInOptions, createClaudeDialIn } from './provider/dial-in.ts';
export { type LaunchClaudeOptions, launchClaude } from './provider/launch-claude.ts';
export type { SentPrompt } from './provider/prompt-ledger.ts';
export type { ToolGateOptions } from './provider/tool-gate.ts';
export { ClaudeTranslator, type ClaudeTranslatorOptions } from './provider/translator.ts';
export { ClaudeConnection, type ClaudeConnectionOptions, type ClaudePrompt } from './stream-json/claude-connection.ts';
export type { ControlAnswer } from './stream-json/control-requests.ts';
export {
  type ClaudeFrame,
  ClaudeFrameSchema,
  type HookCallback,
  type PermissionRequest,
} from './stream-json/frames.ts';
export type { GreetedCli } from './stream-json/known-process.ts';
export { checkOutgoing, type OutgoingFrame } from './stream-json/outgoing.ts';
export { checkPeerFrame, type PeerControl, peerControls } from './stream-json/peer-frames.ts';
export type { ClaudePermissionMode } from './stream-json/permission-mode.ts';
export type { PermissionRule } from './stream-json/permission-rule.ts';
export type { PermissionAnswer, PermissionContext, RequestHandlers } from './stream-json/request-desk.ts';
export {
  createClaudeSdkUrlHandler,
  type SdkUrlDialler,
  type SdkUrlHandler,
  type SdkUrlHandlerOptions,
  type SdkUrlSession,
  type SdkUrlUpgrade,
} from './stream-json/sdk-url-handler.ts';
