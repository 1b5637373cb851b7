/**
 * The version of the wire. It grows whenever an old client or node could misread a new relay;
 * `test/wire-lock.test.ts` turns red when a shape changes without it.
 *
 * - 1: first published shape.
 */
export const PROTOCOL_VERSION = 1;

/**
 * The oldest version that this build still speaks as it was. It grows only with a reason in the history above, and never in the release
 * that raises `PROTOCOL_VERSION`: the versions before and after a release work together.
 */
export const MIN_SUPPORTED_PROTOCOL = 1;

/** The versions that one side speaks, both ends included. */
export interface ProtocolRange {
  readonly protocol: number;
  readonly minProtocol: number;
}

export const ownProtocols: ProtocolRange = { protocol: PROTOCOL_VERSION, minProtocol: MIN_SUPPORTED_PROTOCOL };

/** The newest version that both sides speak; null when there is none. */
export function sharedProtocol(one: ProtocolRange, other: ProtocolRange): number | null {
  const newest = Math.min(one.protocol, other.protocol);
  return newest >= Math.max(one.minProtocol, other.minProtocol) ? newest : null;
}

/** The lockstep version of all published packages. */
export const RELAY_VERSION = '0.1.0';

/** How every HTTP answer says which version gave it. */
export const VERSION_HEADER = 'x-relay-version';
export const PROTOCOL_HEADER = 'x-relay-protocol';
