export type { Log } from 'agent-relay-wire';
export type { WebhookOptions } from './start-options.ts';
export { startWebhookChannel, type WebhookChannel } from './webhook-channel.ts';
