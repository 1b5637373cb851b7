export { type AcpCliPaths, type AgentCliPaths, acpCliPaths, agentCliPaths } from './agents/agent-cli-paths.ts';
export { type TempHome, tempHome } from './agents/temp-home.ts';
export { type FakeAnthropic, fakeAnthropicApiKey, startFakeAnthropic } from './anthropic/start-fake-anthropic.ts';
export type { FakeEndpoint, RecordedRequest } from './endpoint/fake-endpoint.ts';
export { freePort } from './endpoint/free-port.ts';
export { type FakeGoogle, type GoogleCallIds, startFakeGoogle } from './google/start-fake-google.ts';
export { fakeRelayMcp } from './mcp/fake-relay-mcp.ts';
export type { ConversationEntry, ModelRequest, OfferedTool, ToolResult } from './model/model-request.ts';
export {
  callTool,
  drop,
  editFile,
  failWith,
  hang,
  holdUntil,
  type Model,
  type ModelStep,
  runCommand,
  say,
  searchWeb,
  think,
} from './model/steps.ts';
export { parseWords, wordScript } from './model/word-script.ts';
export type { CodexHomeOptions } from './openai/codex-home.ts';
export { type FakeOpenAi, startFakeOpenAi } from './openai/start-fake-openai.ts';
export { type PowerShellCommand, type PowerShellScript, readPowerShell } from './powershell/read-powershell.ts';
export { type Loaded, loadedBy } from './programs/loaded-by.ts';
export { type BrowserSubscription, FakePushService, type TakenPush } from './push/fake-push-service.ts';
export type { FakeChatOptions, FakeMessage } from './telegram/fake-chats.ts';
export { FakeTelegram, startFakeTelegram } from './telegram/start-fake-telegram.ts';
export type { FakeTelegramOptions, PersonSays, TelegramFault } from './telegram/telegram-world.ts';
