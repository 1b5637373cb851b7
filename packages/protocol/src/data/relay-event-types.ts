import { RelayEventSchema, type RelayEventType } from '../relay-event.ts';

/** The types of everything that the log tells. */
export const relayEventTypes: readonly RelayEventType[] = RelayEventSchema.options.map(({ shape }) => shape.type.value);
