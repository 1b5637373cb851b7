import type { RouteOutput } from 'agent-relay-protocol';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Store } from '../store/store.ts';
import type { IntegrationSettings } from './contract/integration-settings.ts';
import type { RelaySettings } from './contract/relay-settings.ts';
import type { RelayHooksFile } from './hooks/own-hooks.ts';
import type { PostSender } from './outbound/post-request.ts';
import type { PushOutlet } from './push/pushes.ts';
import type { RelayCore, SessionsPart } from './relay-core.ts';
import type { SystemRoutesDeps } from './system/system-routes.ts';

/** What a relay is given by its composition root. */
export interface RelayDeps {
  /** The relay closes it. */
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: RelaySettings;
  /** Whose the owner's tokens, the integrations and the callers without a token are. */
  readonly workspace: string;
  /** Tokens that stand for the owner, e.g. the owner credential and AGENT_RELAY_TOKEN. */
  readonly ownerTokens?: readonly string[];
  /** The systems outside that may create work. */
  readonly integrations?: readonly IntegrationSettings[];
  /** Carries callbacks out; without one they wait. `random` spreads their retries. */
  readonly callbacks?: { readonly sender: PostSender; readonly random: () => number };
  /** Carries pushes to people's browsers; without it there are none. */
  readonly push?: PushOutlet;
  /** What the relay itself does when something happens; without it nothing. */
  readonly hooksFile?: RelayHooksFile;
  /** What `system/settings` tells of this installation; nothing where it is left out. */
  readonly configuration?: RouteOutput<'system/settings'>;
  /** What `system/health` asks about this installation beside the relay's own parts, by name. */
  readonly probes?: SystemRoutesDeps['probes'];
  /** Makes the part that runs agents on machines; without one the relay has none. */
  readonly createSessions?: (core: RelayCore) => SessionsPart | Promise<SessionsPart>;
}
