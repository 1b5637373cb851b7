export { databasePathOf, defaultDatabasePath, ownerTokenPath, readOwnerToken } from 'agent-relay-wire/node';
export type { Clock } from './clock.ts';
export type { Config, ConfigSources, SettingName } from './config.ts';
export { readConfig } from './config.ts';
export type { Logger, LogLevel } from './logger.ts';
export { createLogger, silentLogger } from './logger.ts';
export type { Relay } from './relay/contract/relay-contract.ts';
export type { RunningServer, StartServerDeps } from './start-server.ts';
export { startServer } from './start-server.ts';
