import type { RelayEvent } from 'agent-relay-client';

/** Whether mail may have failed by it, or have arrived after all, or waits for nobody any more. */
export const mayEndLetters = (event: RelayEvent): boolean =>
  event.type === 'message.dismissed' ||
  event.type === 'message.deleted' ||
  ('evidence' in event && (event.late || event.state === 'failed' || event.state === 'expired'));
