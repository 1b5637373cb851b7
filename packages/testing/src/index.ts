export { type AgentCliPaths, agentCliPaths } from './agents/agent-cli-paths.ts';
export { type TempHome, tempHome } from './agents/temp-home.ts';
export { type FakeAnthropic, fakeAnthropicApiKey, startFakeAnthropic } from './anthropic/start-fake-anthropic.ts';
export type { FakeEndpoint, RecordedRequest } from './endpoint/fake-endpoint.ts';
export type { ConversationEntry, ModelRequest, OfferedTool, ToolResult } from './model/model-request.ts';
export { callTool, drop, editFile, failWith, hang, type Model, type ModelStep, runCommand, say, think } from './model/steps.ts';
export { parseWords, wordScript } from './model/word-script.ts';
export { type FakeOpenAi, startFakeOpenAi } from './openai/start-fake-openai.ts';
