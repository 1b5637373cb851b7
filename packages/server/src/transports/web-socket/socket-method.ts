import type { Principal } from 'agent-relay-protocol';
import type { RequestContext } from 'agent-relay-wire';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import type { Authenticator, Caller } from '../credentials.ts';
import type { SocketNodeLink } from './node-link.ts';
import type { Subscriptions } from './subscriptions.ts';

/** A method, or a notification, that exists on sockets only. */
export interface SocketMethod {
  /** Whether a caller may use it before it has named itself. */
  readonly isOpenToNameless?: boolean;
  run(speaker: SocketSpeaker, params: unknown, request: Pick<RequestContext, 'signal'>): unknown;
}

/** The connection, as a method sees who calls it. */
export interface SocketSpeaker {
  readonly relay: Relay;
  readonly authenticator: Authenticator;
  readonly subscriptions: Subscriptions;
  readonly link: SocketNodeLink;
  readonly principal: Caller;
  /** What a browser's upgrade carried. */
  readonly cookie: string | undefined;
  /** What the caller is to the relay from now on. */
  speakAs(principal: Principal): void;
  /** The relay is to be told when this node's link ends; it may have ended while the relay was attaching it. */
  markAttached(): void;
}
