/**
 * The version of the wire. It grows whenever an old client or node could misread a new relay;
 * `test/wire-lock.test.ts` turns red when a shape changes without it.
 *
 * - 1: first published shape.
 */
export const PROTOCOL_VERSION = 1;

/** The lockstep version of all published packages. */
export const RELAY_VERSION = '0.1.0';

/** How every HTTP answer says which version gave it. */
export const VERSION_HEADER = 'x-relay-version';
export const PROTOCOL_HEADER = 'x-relay-protocol';
