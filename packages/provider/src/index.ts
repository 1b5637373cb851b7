export type {
  AgentSession,
  ApprovalDecision,
  McpEndpoint,
  OwnedProcess,
  PromptInput,
  PromptOptions,
  Provider,
  ProviderAvailability,
  StartOptions,
} from './contract.ts';
