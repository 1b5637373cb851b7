export type { Log } from 'agent-relay-wire';
export { type ApprovalSource, relayApprovals } from './approvals/approval-source.ts';
export type { Binding, ChannelPort, IncomingText, OutgoingMail } from './channel-port.ts';
export { createLogger, type LogOptions } from './logger.ts';
export { type ConnectOptions, connectChannel } from './relay-channel.ts';
export { readSettings, type SettingName, type SettingSources, type Settings } from './settings.ts';
export { StateFile } from './state-file.ts';
export { type BotApi, type BotApiOptions, createBotApi } from './telegram/bot-api.ts';
export { type ChannelEnd, TelegramChannel, type TelegramChannelOptions } from './telegram-channel.ts';
