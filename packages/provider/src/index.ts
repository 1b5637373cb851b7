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
export { RecentSet } from './recent-set.ts';
export type { LiveEvent, SessionEnded, SessionEventsOptions } from './session-events.ts';
export { SessionEvents } from './session-events.ts';
