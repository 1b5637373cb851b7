export { type LineAgent, type LinePatterns, lineAgents } from './line-agent.ts';
export { LinesProvider, type LinesProviderOptions, lineProviders } from './lines-provider.ts';
