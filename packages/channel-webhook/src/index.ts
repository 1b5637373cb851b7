export { type Log, type StartOptions, startWebhookChannel, type WebhookChannel } from './webhook-channel.ts';
