export type { LogLevel } from './logger.ts';
export { createLogger } from './logger.ts';
export type { NodeEnd, NodeOptions, RunningNode } from './node-contract.ts';
export type { NodeStatus } from './node-status.ts';
export { withOwnProviders } from './own-providers.ts';
export { FileOwner, nodeFilePath, type Owner, type OwnersTerms } from './owner/owner.ts';
export { runCli } from './run-cli.ts';
export { runNode } from './run-node.ts';
