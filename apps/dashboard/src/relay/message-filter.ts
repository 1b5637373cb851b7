import type { MessageDetail } from 'agent-relay-client';
import type { HandedState } from 'agent-relay-protocol';

/** Which messages; absent is all of them. */
export interface MessageFilter {
  readonly from?: string;
  /** An address: `id:<agent>`, or a group's. */
  readonly to?: string;
  readonly channel?: string;
  /** Only what is offered as work. */
  readonly work?: true;
  /** Only what stands so with a recipient. */
  readonly state?: HandedState;
  /** Only mail of people that did not arrive, and that nobody has looked at. */
  readonly deadLetter?: true;
}

export const handedStates = ['dispatched', 'delivered', 'seen', 'answered', 'failed', 'expired'] as const satisfies readonly HandedState[];

/** Reads what somebody may have typed into the address. */
export function readMessageSearch({ from, to, channel, work, state, deadLetter }: Readonly<Record<string, unknown>>): MessageFilter {
  const known = handedStates.find((one) => one === state);
  return {
    ...textOf('from', from),
    ...textOf('to', to),
    ...textOf('channel', channel),
    ...(work === true ? { work } : {}),
    ...(deadLetter === true ? { deadLetter } : {}),
    ...(known === undefined ? {} : { state: known }),
  };
}

function textOf<Name extends 'from' | 'to' | 'channel'>(name: Name, value: unknown): Partial<Record<Name, string>> {
  const text = typeof value === 'number' ? String(value) : value; // a number in an address is read as one
  return typeof text === 'string' && text !== '' ? ({ [name]: text } as Record<Name, string>) : {}; // one key, the one asked for
}

/** Whether the relay would list a message that the log tells of: at first it has been handed to nobody. */
export const fitsMessage = (
  message: Pick<MessageDetail, 'from' | 'to' | 'channel' | 'claimable'>,
  { from, to, channel, work, state, deadLetter }: MessageFilter,
): boolean =>
  state === undefined &&
  deadLetter === undefined &&
  (from === undefined || message.from === from) &&
  (to === undefined || message.to === to) &&
  (channel === undefined || message.channel === channel) &&
  (!work || message.claimable);
