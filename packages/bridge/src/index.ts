export { AgentBridge, type AgentBridgeOptions, type BridgeProtocol, newAuthToken } from './agent-bridge.ts';
export type { AgentWsVersion, ClientMessage, RunFrame, ServerMessage, SessionRole } from './agent-ws/messages.ts';
export { RunFrames, type RunFramesOptions } from './agent-ws/run-frames.ts';
export { type AiRelayFrame, AiRelayFrames, type AiRelayType, aiRelayTypes } from './ai-relay/frames.ts';
export { AnyCodexProvider, type AnyCodexProviderOptions } from './codex/any-codex-provider.ts';
