export type { Log, StartOptions } from './start-options.ts';
export { startWebhookChannel, type WebhookChannel } from './webhook-channel.ts';
