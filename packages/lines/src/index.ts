export { type LineAgent, type LinePatterns, lineAgents } from './provider/line-agent.ts';
export { LinesProvider, type LinesProviderOptions, lineProviders } from './provider/lines-provider.ts';
