export { AcpConnection, type AcpHandlers, type AcpMcpServer, type AcpSessionPlace, type PromptBlock } from './acp/acp-connection.ts';
export type {
  InitializeAnswer,
  PermissionOutcome,
  PermissionQuestion,
  PromptAnswer,
  ReadFileRequest,
  SessionUpdate,
  ToolContent,
  ToolReport,
  WriteFileRequest,
} from './acp/frames.ts';
export { type AcpAgent, acpAgents } from './catalogue.ts';
export { AcpProvider, type AcpProviderOptions } from './provider/acp-provider.ts';
export { acpProviders } from './provider/acp-providers.ts';
export { AcpTranslator, type AcpTranslatorOptions } from './provider/translator.ts';
